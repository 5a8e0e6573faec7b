// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro doctor: says whether and why this host can run vitro.
 *
 * One line a feature: is it there, what does its lack cost, what helps.  Works
 * without the module, and without privileges as far as that goes.
 */
#include <assert.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <vitro/vitro.h>

#include "cmd.h"
#include "doctor.h"

#define LEAF1_ECX_HYPERVISOR	0x80000000	/* CPUID 1 (APM 3 E.3) */

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

#define MAX_FINDINGS	96

static struct finding findings[MAX_FINDINGS];
static int nr_findings;

/**
 * found - add a line to the report
 * @name: of the feature
 * @needed: vitro cannot run without it
 * @verdict: is it there
 * @cure: what helps if it is not, or NULL
 * @fmt: what was found, and what a lack costs
 */
void found(const char *name, bool needed, enum verdict verdict, const char *cure,
	   const char *fmt, ...)
{
	struct finding *f = &findings[nr_findings];
	va_list args;

	assert(nr_findings < MAX_FINDINGS);
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

/**
 * read_msr - an MSR of the first CPU
 * @index: its number
 * @value: where to put it
 *
 * Return: false if there is no such MSR, or no msr driver, or no right to use it.
 */
bool read_msr(uint32_t index, uint64_t *value)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = pread(fd, value, sizeof(*value), index) == sizeof(*value);
	close(fd);
	return ok;
}

/**
 * has_cpu_flag - has the kernel found this feature, and not turned it off
 * @flag: as in /proc/cpuinfo
 *
 * Return: true if it has.
 */
bool has_cpu_flag(const char *flag)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char *line = NULL, *word, *rest;
	bool there = false;
	size_t size = 0;

	if (!f)
		return false;
	while (getline(&line, &size, f) > 0) {
		if (strncmp(line, "flags\t", 6))
			continue;
		for (word = strtok_r(line, " \t\n", &rest); word && !there;
		     word = strtok_r(NULL, " \t\n", &rest))
			there = !strcmp(word, flag);
		break;
	}
	free(line);
	fclose(f);
	return there;
}

/**
 * check_kvm - does KVM hold the CPU; for those who cannot ask the CPU itself
 * @module: KVM's module for this CPU
 * @cure: how to make it let go
 */
void check_kvm(const char *module, const char *cure)
{
	char path[64], refs[16];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (access(path, F_OK)) {
		found("CPU is free", true, OK, NULL, "KVM is not loaded");
		return;
	}
	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	if (read_line(path, refs, sizeof(refs)) && strcmp(refs, "0"))
		found("CPU is free", true, MISSING, cure, "KVM is in use (%s users)", refs);
	else
		found("CPU is free", true, UNKNOWN, cure,
		      "KVM is loaded and idle; kernels from 6.12 on hold the CPU all the same");
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

static void check_cpu(void)
{
	uint32_t eax, ebx, ecx, edx;
	char vendor[13];

	__cpuid(0, eax, ebx, ecx, edx);
	vendor_string(vendor, ebx, edx, ecx);
	if (!strcmp(vendor, "AuthenticAMD") || !strcmp(vendor, "HygonGenuine")) {
		found("CPU", true, OK, NULL, "%s", vendor);
		check_hypervisor();
		check_amd();
	} else if (!strcmp(vendor, "GenuineIntel")) {
		found("CPU", true, OK, NULL, "%s", vendor);
		check_hypervisor();
		check_intel();
	} else {
		found("CPU", true, MISSING,
		      "a host with AMD-V or VT-x, or an emulated one: make run in vitro's source",
		      "%s: vitro knows the CPUs of AMD, Hygon and Intel", vendor);
	}
}

/* -------------------------------------------------------------------- kernel */

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
	int width = 0;

	for (f = findings; f < findings + nr_findings; f++) {
		if (width < (int)strlen(f->name))
			width = strlen(f->name);
	}
	for (f = findings; f < findings + nr_findings; f++) {
		printf("%-8s %-*s %s", verdict_name(f->verdict), width, f->name, f->text);
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
	check_kernel();
	check_device();
	if (json)
		report_json();
	else
		report_text();
	return can_run() ? 0 : END_UNAVAILABLE;
}
