// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro doctor: says whether and why this host can run vitro.
 *
 * One line a feature: is it there, what does its lack cost, what helps.  Works
 * without the module, and without privileges as far as that goes.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <vitro/vitro.h>

#include "cmd.h"

/* MSRs (APM 2 15.30.1 and 3.1.7), read through the msr driver. */
#define MSR_VM_CR		0xc0010114
#define VM_CR_SVMDIS		0x10
#define MSR_EFER		0xc0000080
#define EFER_SVME		0x1000

/* CPUID bits (APM 3 E.3 and E.4). */
#define LEAF1_ECX_HYPERVISOR	0x80000000
#define LEAF81_ECX_SVM		0x00000004
#define LEAF1_ECX_VMX		0x00000020
#define SVM_NPT			0x00000001
#define SVM_NRIPS		0x00000008
#define SVM_CLEAN_BITS		0x00000020
#define SVM_FLUSH_ASID		0x00000040
#define SVM_DECODE		0x00000080
#define SVM_PAUSE_FILTER	0x00000400
#define SVM_VGIF		0x00010000

enum verdict { OK, MISSING, UNKNOWN };

/**
 * struct finding - one line of the report
 * @name: of the feature
 * @verdict: is it there
 * @needed: vitro cannot run without it
 * @text: what was found, and what a lack costs
 * @cure: what helps, or NULL
 */
struct finding {
	const char *name;
	enum verdict verdict;
	bool needed;
	char text[320];
	const char *cure;
};

#define MAX_FINDINGS	32

static struct finding findings[MAX_FINDINGS];
static int nr_findings;

__attribute__((format(printf, 5, 6)))
static void found(const char *name, bool needed, enum verdict verdict, const char *cure,
		  const char *fmt, ...)
{
	struct finding *f = &findings[nr_findings];
	va_list args;

	if (nr_findings == MAX_FINDINGS)
		return;
	nr_findings++;
	f->name = name;
	f->needed = needed;
	f->verdict = verdict;
	f->cure = verdict == OK ? NULL : cure;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

/* ----------------------------------------------------------------- helpers */

/* The first line of a small file; false if it cannot be read. */
static bool read_line(const char *path, char *buf, int size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(buf, size, f);
	fclose(f);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

/* Needs root and the msr driver. */
static bool read_msr(uint32_t index, uint64_t *value)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = pread(fd, value, sizeof(*value), index) == sizeof(*value);
	close(fd);
	return ok;
}

/* Twelve characters of a vendor, from three registers. */
static void vendor_string(char *buf, uint32_t a, uint32_t b, uint32_t c)
{
	memcpy(buf, &a, 4);
	memcpy(buf + 4, &b, 4);
	memcpy(buf + 8, &c, 4);
	buf[12] = '\0';
}

/* --------------------------------------------------------------------- CPU */

static void check_hypervisor(void)
{
	uint32_t eax, ebx, ecx, edx;
	char vendor[13];

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & LEAF1_ECX_HYPERVISOR)) {
		found("bare metal", false, OK, NULL, "no hypervisor below");
		return;
	}
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	vendor_string(vendor, ebx, ecx, edx);
	found("bare metal", false, MISSING, NULL,
	      "this is itself a guest (of '%s'): slower, and only what it lets through", vendor);
}

static void check_svm_disabled(void)
{
	uint64_t vm_cr;

	if (!read_msr(MSR_VM_CR, &vm_cr))
		found("firmware", true, UNKNOWN,
		      "as root: modprobe msr; then run vitro doctor again",
		      "cannot read MSR VM_CR to see whether the firmware disables SVM");
	else if (vm_cr & VM_CR_SVMDIS)
		found("firmware", true, MISSING, "enable SVM (AMD-V) in the firmware's set-up",
		      "the firmware disables SVM (VM_CR.SVMDIS)");
	else
		found("firmware", true, OK, NULL, "SVM is not disabled (VM_CR.SVMDIS is 0)");
}

/* Features that vitro uses when they are there. */
static void check_svm_features(uint32_t edx)
{
	static const struct {
		const char *name;
		uint32_t bit;
		const char *lack;
	} features[] = {
		{ "NRIP save", SVM_NRIPS, "vitro decodes what it intercepts, for the length" },
		{ "decode assists", SVM_DECODE, "vitro reads instructions from guest memory" },
		{ "flush by ASID", SVM_FLUSH_ASID, "a flush empties the whole TLB" },
		{ "VMCB clean bits", SVM_CLEAN_BITS, "each entry loads the whole VMCB" },
		{ "pause filter", SVM_PAUSE_FILTER, "a spinning guest keeps its CPU" },
		{ "virtual GIF", SVM_VGIF, "matters to guests that are hypervisors only" },
		{ NULL, 0, NULL }
	}, *f;

	for (f = features; f->name; f++) {
		if (edx & f->bit)
			found(f->name, false, OK, NULL, "the CPU has it");
		else
			found(f->name, false, MISSING, NULL, "slower: %s", f->lack);
	}
}

static void check_svm(void)
{
	uint32_t eax, ebx, ecx, edx;

	if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) || !(ecx & LEAF81_ECX_SVM)) {
		found("SVM", true, MISSING,
		      "enable SVM in the firmware; in a guest, enable nested virtualization",
		      "the CPU has no AMD-V, or something hides it");
		return;
	}
	found("SVM", true, OK, NULL, "the CPU has AMD-V");
	check_svm_disabled();

	__cpuid(0x8000000a, eax, ebx, ecx, edx);
	if (edx & SVM_NPT)
		found("nested paging", true, OK, NULL, "the CPU has it; %u ASIDs", ebx);
	else
		found("nested paging", true, MISSING, "another CPU; vitro has no shadow paging",
		      "guest memory needs it");
	check_svm_features(edx);
}

static void check_cpu(void)
{
	uint32_t eax, ebx, ecx, edx;
	char vendor[13];

	__cpuid(0, eax, ebx, ecx, edx);
	vendor_string(vendor, ebx, edx, ecx);
	if (!strcmp(vendor, "AuthenticAMD") || !strcmp(vendor, "HygonGenuine")) {
		found("CPU", true, OK, NULL, "%s", vendor);
		check_hypervisor();
		check_svm();
		return;
	}
	__cpuid(1, eax, ebx, ecx, edx);
	found("CPU", true, MISSING,
	      "a host with AMD-V, or the emulated one: make run in vitro's source",
	      "%s%s: this version of vitro runs on AMD-V only", vendor,
	      ecx & LEAF1_ECX_VMX ? " with VT-x" : "");
	check_hypervisor();
}

/* -------------------------------------------------------------------- kernel */

static void check_other_hypervisor(void)
{
	uint64_t efer;
	char refs[16];

	if (read_msr(MSR_EFER, &efer)) {
		if (efer & EFER_SVME)
			found("CPU is free", true, MISSING,
			      "end its guests and: rmmod kvm_amd; or boot with kvm.enable_virt_at_load=0",
			      "another hypervisor holds it (EFER.SVME is set)");
		else
			found("CPU is free", true, OK, NULL, "no hypervisor holds it");
	} else if (access("/sys/module/kvm_amd", F_OK)) {
		found("CPU is free", true, OK, NULL, "KVM is not loaded");
	} else if (read_line("/sys/module/kvm_amd/refcnt", refs, sizeof(refs)) &&
		   strcmp(refs, "0")) {
		found("CPU is free", true, MISSING, "end KVM's guests; rmmod kvm_amd",
		      "KVM is in use (%s users)", refs);
	} else {
		found("CPU is free", true, UNKNOWN, "if vitro says EBUSY: rmmod kvm_amd",
		      "KVM is loaded and idle; kernels from 6.12 on hold the CPU all the same");
	}
}

static void check_kernel(void)
{
	struct utsname uts;
	char path[320], lockdown[128];

	if (uname(&uts))
		return;
	if (strcmp(uts.machine, "x86_64"))
		found("kernel", true, MISSING, "boot a 64-bit kernel", "%s is not x86_64",
		      uts.machine);
	else
		found("kernel", true, OK, NULL, "%s, %s", uts.release, uts.machine);

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", uts.release);
	if (access(path, F_OK))
		found("kernel headers", false, MISSING, "apt-get install linux-headers-amd64",
		      "the module cannot be built on this host");
	else
		found("kernel headers", false, OK, NULL, "the module can be built");

	if (read_line("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown)) &&
	    !strstr(lockdown, "[none]"))
		found("module signing", false, MISSING,
		      "sign vitro.ko with a key the kernel knows (mokutil), or turn Secure Boot off",
		      "the kernel is locked down and refuses unsigned modules");
}

static void check_device(void)
{
	struct vitro *dev;

	if (access("/sys/module/vitro", F_OK)) {
		found("module", true, MISSING,
		      "as root: make insmod in vitro's source, or modprobe vitro; dmesg says why it refuses",
		      "vitro.ko is not loaded");
		return;
	}
	found("module", true, OK, NULL, "vitro.ko is loaded");
	dev = vitro_open(NULL);
	if (dev)
		found("/dev/vitro", true, OK, NULL, "ABI version %u, %u vCPUs a guest",
		      vitro_get_info(dev)->abi_version, vitro_get_info(dev)->max_vcpus);
	else
		found("/dev/vitro", true, MISSING,
		      errno == EACCES ? "become root, or a member of the device's group" :
		      errno == EPROTO ? "install module and command of the same version" :
		      "see dmesg", "%s", vitro_error());
	vitro_close(dev);
}

/* -------------------------------------------------------------------- report */

static bool can_run(void)
{
	int i;

	for (i = 0; i < nr_findings; i++)
		if (findings[i].needed && findings[i].verdict == MISSING)
			return false;
	return true;
}

static const char *verdict_name(enum verdict verdict)
{
	return verdict == OK ? "ok" : verdict == MISSING ? "missing" : "unknown";
}

static void report_text(void)
{
	const struct finding *f;

	for (f = findings; f < findings + nr_findings; f++) {
		printf("%-8s %-16s %s", verdict_name(f->verdict), f->name, f->text);
		if (f->cure)
			printf("; cure: %s", f->cure);
		putchar('\n');
	}
	printf("\n%s\n", can_run() ? "vitro can run here." : "vitro cannot run here, yet.");
}

static void json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void report_json(void)
{
	const struct finding *f;

	printf("{\"can_run\": %s, \"features\": [", can_run() ? "true" : "false");
	for (f = findings; f < findings + nr_findings; f++) {
		printf("%s\n  {\"name\": ", f == findings ? "" : ",");
		json_string(f->name);
		printf(", \"verdict\": \"%s\", \"needed\": %s, \"text\": ",
		       verdict_name(f->verdict), f->needed ? "true" : "false");
		json_string(f->text);
		if (f->cure) {
			printf(", \"cure\": ");
			json_string(f->cure);
		}
		putchar('}');
	}
	printf("\n]}\n");
}

static void list_options(void)
{
	printf("usage: vitro doctor [--json]\n\n"
	       "Says whether and why this host can run vitro, feature by feature: \"ok\", \"missing\"\n"
	       "or \"unknown\"; what a lack costs; what helps.  As root it sees more.\n\n"
	       "  -j, --json   for programs\n"
	       "  -h, --help   this help\n\n"
	       "exit status: 0 vitro can run here, %d it cannot, %d bad usage.\n",
	       END_UNAVAILABLE, END_USAGE);
}

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

/**
 * cmd_doctor - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status, an enum exitcode.
 */
int cmd_doctor(int argc, char **argv)
{
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", long_options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			list_options();
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vitro doctor: '%s': there are no arguments, only options\n",
			argv[optind]);
		return END_USAGE;
	}
	check_cpu();
	check_other_hypervisor();
	check_kernel();
	check_device();
	if (json)
		report_json();
	else
		report_text();
	return can_run() ? 0 : END_UNAVAILABLE;
}
