// SPDX-License-Identifier: GPL-2.0-or-later
/* The exit recorder, and the times of exits: what they say agrees, to the exit. */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "genl.h"
#include "vendor.h"

GUEST(g_known);
GUEST(g_known_cpuid);
GUEST(g_out32);
GUEST(g_out16);
GUEST(g_hundred);
GUEST(g_cpuids);
GUEST(g_blank);
GUEST(g_touch);
GUEST(g_touch_nowhere);

#define NR	256	/* records, more than most guests here need */

/**
 * struct ring - a mapped recorder
 * @fd: its fd
 * @h: the header
 * @size: of the mapping
 */
struct ring {
	int fd;
	const volatile struct vitro_ring *h;
	size_t size;
};

static int record(struct vt_cpu *cpu, unsigned int nr, unsigned int flags)
{
	struct vitro_record_start start = { .nr = nr, .flags = flags };

	return vt_ioctl(cpu->fd, VITRO_RECORD, &start);
}

static struct ring ring_of(struct vt_cpu *cpu, unsigned int nr)
{
	struct ring r = { .size = VITRO_RING_RECORDS + nr * sizeof(struct vitro_record) };
	void *p;

	r.fd = record(cpu, nr, 0);
	if (r.fd < 0)
		vt_die("VITRO_RECORD: %s", strerror(-r.fd));
	p = mmap(NULL, r.size, PROT_READ, MAP_SHARED, r.fd, 0);
	if (p == MAP_FAILED)
		vt_die("mmap of the recorder: %s", strerror(errno));
	r.h = p;
	return r;
}

static struct vitro_record record_at(const struct ring *r, uint64_t seq)
{
	const struct vitro_record *first = (const void *)((const char *)r->h +
							  VITRO_RING_RECORDS);

	return first[seq % r->h->nr];
}

/* How many of the records have a reason. */
static unsigned int count(const struct ring *r, unsigned int reason)
{
	unsigned int n = 0;

	for (uint64_t s = r->h->overwritten; s < r->h->head; s++)
		n += record_at(r, s).reason == reason;
	return n;
}

/* Runs to HLT. */
static void run_out(struct vt_cpu *cpu)
{
	while (vt_run(cpu) == VITRO_EXIT_IO)
		vt_finish(cpu);
	if (cpu->comm->exit.reason != VITRO_EXIT_HLT)
		vt_die("the guest exited for reason %u", cpu->comm->exit.reason);
}

/* ----------------------------------------------------------------- recording */

TEST(every_exit_once)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	uint64_t tsc = 0;

	EXPECT_EQ(NR, r.h->nr);
	EXPECT_EQ(sizeof(struct vitro_record), r.h->record_size);
	EXPECT_EQ(cpu->vm->info.vendor, r.h->vendor);
	EXPECT_EQ(cpu->vm->info.tsc_khz, r.h->tsc_khz);
	EXPECT_EQ(0, r.h->head);
	run_out(cpu);

	EXPECT_EQ(10, count(&r, VITRO_INNER_CPUID));
	EXPECT_EQ(5, count(&r, VITRO_EXIT_RDMSR));
	EXPECT_EQ(6, count(&r, VITRO_EXIT_IO));
	EXPECT_EQ(1, count(&r, VITRO_EXIT_HLT));
	EXPECT_EQ(0, r.h->overwritten);
	EXPECT_EQ(vt_stat(cpu, VITRO_STAT_EXITS), r.h->head);
	EXPECT_EQ(vt_stat(cpu, VITRO_STAT_EXIT_TDP), count(&r, VITRO_INNER_TDP));
	EXPECT_EQ(vt_stat(cpu, VITRO_STAT_EXIT_INTR), count(&r, VITRO_INNER_HOST));
	for (uint64_t s = 0; s < r.h->head; s++) {
		struct vitro_record rec = record_at(&r, s);

		ASSERT_EQ(s, rec.seq);
		ASSERT_LT(tsc, rec.tsc);
		tsc = rec.tsc;
	}
	EXPECT_EQ(0, r.h->ended);
}

TEST(what_a_record_says)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	struct vitro_record last, rec;

	run_out(cpu);
	last = record_at(&r, r.h->head - 1);
	EXPECT_EQ(VITRO_EXIT_HLT, last.reason);
	EXPECT_EQ(vendor_raw_hlt(cpu->vm), last.code);
	EXPECT_EQ(cpu->comm->state.gprs.rip, last.rip);
	EXPECT_EQ(VITRO_PLACE_USER, last.place);
	EXPECT_EQ(0xf4, last.bytes[0]);

	for (uint64_t s = 0; s < r.h->head - 1; s++) {
		rec = record_at(&r, s);
		EXPECT_EQ(0, rec.cpl);
		EXPECT_EQ(64, rec.bits);
		EXPECT_EQ(4, rec.paging);
		EXPECT_EQ(PML4, rec.cr3);
		EXPECT_EQ(rec.rip, rec.linear);
		ASSERT_EQ(15, rec.nr_bytes);
		switch (rec.reason) {
		case VITRO_INNER_CPUID:
			EXPECT_EQ(0, memcmp("\x0f\xa2", rec.bytes, 2));
			EXPECT_EQ((uintptr_t)g_known_cpuid, rec.rip);
			EXPECT_EQ(7, rec.detail);
			EXPECT_EQ(0, rec.data);
			EXPECT_GE(VITRO_PLACE_KERNEL, rec.place);
			EXPECT_EQ(0, rec.cycles[VITRO_PLACE_USER]);
			break;
		case VITRO_EXIT_RDMSR:
			EXPECT_EQ(0x1b, rec.detail);
			EXPECT_GE(VITRO_PLACE_KERNEL, rec.place);
			break;
		case VITRO_EXIT_IO:
			EXPECT_EQ(0, memcmp("\xe6\x42", rec.bytes, 2));
			EXPECT_EQ(vendor_raw_io(cpu->vm), rec.code);
			EXPECT_EQ(0x42 | 1 << 16, rec.detail);
			EXPECT_EQ(0x5a, rec.data);
			EXPECT_EQ(VITRO_PLACE_USER, rec.place);
			EXPECT_LT(0, rec.cycles[VITRO_PLACE_BURST]);
			EXPECT_LT(0, rec.cycles[VITRO_PLACE_KERNEL]);
			EXPECT_LT(0, rec.cycles[VITRO_PLACE_USER]);
			break;
		}
	}
}

TEST(modes)
{
	static const struct {
		enum vt_mode mode;
		const char *entry;
		unsigned int bits, paging;
	} cases[] = {
		{ VT_REAL, g_out16, 16, 0 }, { VT_PROT, g_out32, 32, 0 },
		{ VT_PSE, g_out32, 32, 2 }, { VT_PAE, g_out32, 32, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vt_cpu *cpu = vt_boot(cases[i].mode, cases[i].entry);
		struct ring r = ring_of(cpu, 32);
		struct vitro_record rec;

		ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
		rec = record_at(&r, r.h->head - 1);
		EXPECT_EQ(cases[i].bits, rec.bits) TH_LOG("case %zu", i);
		EXPECT_EQ(cases[i].paging, rec.paging) TH_LOG("case %zu", i);
		EXPECT_EQ((uintptr_t)cases[i].entry, rec.linear) TH_LOG("case %zu", i);
		EXPECT_EQ(0, memcmp("\xe6\x42", rec.bytes, 2)) TH_LOG("case %zu", i);
	}
}

/* The exit is about the page of its own instruction, which the host has not got yet. */
TEST(code_that_had_to_be_brought)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_blank);
	struct ring r = ring_of(cpu, NR);
	struct vitro_record rec;

	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	ASSERT_LT(1, r.h->head);
	rec = record_at(&r, r.h->head - 1);
	EXPECT_EQ(0x100000, rec.rip);
	for (uint64_t s = 0; s < r.h->head; s++) {
		rec = record_at(&r, s);
		EXPECT_EQ(15, rec.nr_bytes) TH_LOG("record %lu, rip 0x%lx", s, (long)rec.rip);
	}
	EXPECT_EQ(0, rec.bytes[0]);
}

/* There is no instruction where the guest's page tables lead nowhere. */
TEST(no_code)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	struct vitro_record rec;

	cpu->comm->state.gprs.rip = NOWHERE;
	cpu->comm->dirty |= VITRO_STATE_GPRS;
	vt_run(cpu);
	ASSERT_LT(0, r.h->head);
	rec = record_at(&r, r.h->head - 1);
	EXPECT_EQ(NOWHERE, rec.rip);
	EXPECT_EQ(0, rec.nr_bytes);
}

/* A fault that the kernel resolves, and one that it cannot: the reason tells them apart. */
TEST(faults)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_touch);
	struct ring r = ring_of(cpu, NR);
	struct vitro_record rec;
	bool seen = false;

	ASSERT_EQ(VITRO_EXIT_MMIO, vt_run(cpu));
	rec = record_at(&r, r.h->head - 1);
	EXPECT_EQ(VITRO_EXIT_MMIO, rec.reason);
	EXPECT_EQ(VITRO_PLACE_USER, rec.place);
	EXPECT_EQ(NOWHERE, rec.detail);
	EXPECT_EQ(VITRO_MMIO_READ, rec.data);
	EXPECT_EQ((uintptr_t)g_touch_nowhere, rec.rip);
	for (uint64_t s = 0; s < r.h->head - 1; s++) {
		rec = record_at(&r, s);
		if (rec.reason == VITRO_INNER_TDP && rec.detail == 0x100000)
			seen = true;
	}
	EXPECT_TRUE(seen);
}

TEST(overwritten_is_counted)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_hundred);
	struct ring r = ring_of(cpu, 32);

	run_out(cpu);
	EXPECT_LT(100, r.h->head);
	EXPECT_EQ(vt_stat(cpu, VITRO_STAT_EXITS), r.h->head);
	EXPECT_EQ(r.h->head - 32, r.h->overwritten);
	for (uint64_t s = r.h->overwritten; s < r.h->head; s++)
		ASSERT_EQ(s, record_at(&r, s).seq);
}

/* By the protocol in struct vitro_ring, a reader has no torn record, however slow it is. */
TEST(read_while_it_runs)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_cpuids);
	struct ring r = ring_of(cpu, 32);
	unsigned int good = 0, lost = 0;
	struct vitro_record copy[32];
	uint64_t next = 0, head;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, vt_runner, cpu));
	while (good < 300) {
		sched_yield();	/* to the guest, on a machine of one CPU */
		head = __atomic_load_n(&r.h->head, __ATOMIC_ACQUIRE);
		if (head > next + 32) {
			lost += head - 32 - next;
			next = head - 32;
		}
		for (uint64_t s = next; s < head; s++)
			copy[s % 32] = record_at(&r, s);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		for (; next < head; next++) {
			const struct vitro_record *rec = &copy[next % 32];

			if (next < r.h->overwritten + 1) {
				lost++;
				continue;
			}
			ASSERT_EQ(next, rec->seq);
			if (rec->reason == VITRO_INNER_CPUID)
				ASSERT_EQ(4, rec->paging);
			good++;
		}
	}
	TH_LOG("%u records read, %u overwritten before that", good, lost);
	ASSERT_LE(good + lost, head);
}

/* ------------------------------------------------------------ who may do what */

static sigjmp_buf after_fault;

static void on_fault(int sig)
{
	siglongjmp(after_fault, sig);
}

TEST(nobody_writes_it)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	volatile struct vitro_ring *h = (void *)r.h;
	char path[64];
	uint64_t x = 77;
	int sig, fd;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, r.size, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, r.size, PROT_READ, MAP_PRIVATE, r.fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect((void *)r.h, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, write(r.fd, &x, sizeof(x)));
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	sig = sigsetjmp(after_fault, 1);
	if (!sig)
		h->head = 77;
	EXPECT_EQ(SIGSEGV, sig);

	/* As a debugger would, and by opening it anew. */
	fd = open("/proc/self/mem", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, &x, sizeof(x), (uintptr_t)r.h));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r.fd);
	EXPECT_EQ(-1, open(path, O_RDWR));
	EXPECT_EQ(0, r.h->head);
	run_out(cpu);
	EXPECT_EQ(vt_stat(cpu, VITRO_STAT_EXITS), r.h->head);
}

TEST(no_more_than_its_memory)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, 32);
	size_t size = (r.size + 4095) & ~4095UL;
	volatile char *p = mmap(NULL, size + 4096, PROT_READ, MAP_SHARED, r.fd, 0);
	int sig;

	ASSERT_NE(MAP_FAILED, (void *)p);
	signal(SIGBUS, on_fault);
	sig = sigsetjmp(after_fault, 1);
	if (!sig)
		(void)p[size - 1];
	EXPECT_EQ(0, sig);
	sig = sigsetjmp(after_fault, 1);
	if (!sig)
		(void)p[size];
	EXPECT_EQ(SIGBUS, sig);
}

TEST(bad_arguments)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);

	EXPECT_EQ(-EINVAL, record(cpu, 0, 1));
	EXPECT_EQ(-EINVAL, record(cpu, 16, 0));
	EXPECT_EQ(-EINVAL, record(cpu, 100, 0));
	EXPECT_EQ(-EINVAL, record(cpu, 2 * VITRO_MAX_RECORDS, 0));
	EXPECT_EQ(-EINVAL, record(cpu, 64, 1));
	EXPECT_LE(0, record(cpu, VITRO_MAX_RECORDS, 0));
}

/* ------------------------------------------------------------------- its end */

TEST(outlives_the_machine)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	struct vitro_record rec;
	uint64_t head;
	int status;
	void *p;

	run_out(cpu);
	head = r.h->head;
	munmap(cpu->comm, cpu->vm->info.comm_size);
	close(cpu->fd);
	close(cpu->vm->fd);
	EXPECT_EQ(1, r.h->ended);
	EXPECT_EQ(head, r.h->head);
	EXPECT_EQ(6, count(&r, VITRO_EXIT_IO));
	/* Also for another process, and by a new mapping; and the mapping outlives the fd. */
	if (fork() == 0) {
		p = mmap(NULL, r.size, PROT_READ, MAP_SHARED, r.fd, 0);
		close(r.fd);
		if (p == MAP_FAILED)
			_exit(1);
		r.h = p;
		rec = record_at(&r, head - 1);
		_exit(rec.reason == VITRO_EXIT_HLT && rec.seq == head - 1 ? 0 : 2);
	}
	wait(&status);
	EXPECT_EQ(0, status);
	close(r.fd);
	EXPECT_EQ(head, r.h->head);
}

TEST(started_anew)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring first = ring_of(cpu, NR), second;
	uint64_t head;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	head = first.h->head;
	second = ring_of(cpu, NR);
	EXPECT_EQ(1, first.h->ended);
	run_out(cpu);
	EXPECT_EQ(head, first.h->head);
	EXPECT_EQ(vt_stat(cpu, VITRO_STAT_EXITS), head + second.h->head);
	EXPECT_EQ(5, count(&second, VITRO_EXIT_IO));
	EXPECT_EQ(0, record_at(&second, 0).seq);
}

TEST(stopped)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	uint64_t head;

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	head = r.h->head;
	EXPECT_EQ(0, record(cpu, 0, 0));
	EXPECT_EQ(1, r.h->ended);
	run_out(cpu);
	EXPECT_EQ(head, r.h->head);
	EXPECT_EQ(0, record(cpu, 0, 0));	/* there is none to stop */
}

/* --------------------------------------------------------------------- times */

struct times {
	struct vitro_times by_reason[VITRO_NR_REASONS];
	uint64_t exits;
	unsigned int messages;
};

static void note_times(const struct nlmsghdr *h, void *opaque)
{
	struct times *t = opaque;
	const uint64_t *counters = genl_attr(h, VITRO_A_COUNTERS);
	const void *times = genl_attr(h, VITRO_A_TIMES);
	uint32_t reason = genl_u32(h, VITRO_A_REASON);

	t->messages++;
	if (counters)
		memcpy(&t->exits, &counters[VITRO_STAT_EXITS], sizeof(t->exits));
	if (times && reason < VITRO_NR_REASONS)
		memcpy(&t->by_reason[reason], times, sizeof(struct vitro_times));
}

/* Times over netlink are the sums of the records: numbers, places, cycles, histograms. */
TEST(times_are_the_records)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, NR);
	struct genl *g = genl_open();
	struct times want = { .exits = 0 }, got = { .exits = 0 };

	ASSERT_EQ(0, genl_watch(g, r.h->vm, 1));
	run_out(cpu);
	/* The last exit is not over. */
	for (uint64_t s = 0; s < r.h->head - 1; s++) {
		struct vitro_record rec = record_at(&r, s);
		struct vitro_times *t = &want.by_reason[rec.reason];
		uint64_t sum = 0;

		t->nr[rec.place]++;
		for (int i = 0; i < VITRO_NR_PLACES; i++) {
			t->cycles[i] += rec.cycles[i];
			sum += rec.cycles[i];
		}
		if (!t->max || sum < t->min)
			t->min = sum;
		if (sum > t->max)
			t->max = sum;
		t->bucket[63 - __builtin_clzll(sum)]++;
	}
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, r.h->vm, note_times, &got));
	EXPECT_EQ(r.h->head, got.exits);
	for (int i = 0; i < VITRO_NR_REASONS; i++) {
		EXPECT_EQ(0, memcmp(&want.by_reason[i], &got.by_reason[i],
				    sizeof(want.by_reason[i]))) TH_LOG("reason %d", i);
	}
	EXPECT_EQ(6, got.by_reason[VITRO_EXIT_IO].nr[VITRO_PLACE_USER]);
}

TEST(not_watched_not_counted)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	struct ring r = ring_of(cpu, 32);
	struct genl *g = genl_open();
	struct times got = { .exits = 0 };

	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, r.h->vm, note_times, &got));
	EXPECT_EQ(1, got.messages);
	EXPECT_LE(16, got.exits);

	/* From now on; what it is in when the watching stops is not counted. */
	ASSERT_EQ(0, genl_watch(g, r.h->vm, 1));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	ASSERT_EQ(0, genl_watch(g, r.h->vm, 0));
	run_out(cpu);
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, r.h->vm, note_times, &got));
	EXPECT_EQ(2, got.by_reason[VITRO_EXIT_IO].nr[VITRO_PLACE_USER]);
}

/* The VM of this process. */
static void note_mine(const struct nlmsghdr *h, void *opaque)
{
	if (genl_u32(h, VITRO_A_PID) == (uint32_t)getpid())
		*(uint64_t *)opaque = genl_u64(h, VITRO_A_VM_ID);
}

/* What is left open when nobody watches is not taken for the next exit. */
TEST(a_pause_is_nobodys_time)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, g_known);
	uint64_t vm = 0, limit = 50ULL * cpu->vm->info.tsc_khz;
	struct times got = { .exits = 0 };
	struct genl *g = genl_open();

	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_VM_GET, NLM_F_DUMP, 0, note_mine, &vm));
	ASSERT_NE(0, vm);
	ASSERT_EQ(0, genl_watch(g, vm, 1));
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	ASSERT_EQ(0, genl_watch(g, vm, 0));	/* with the second exit open */
	ASSERT_EQ(VITRO_EXIT_IO, vt_run(cpu));
	vt_finish(cpu);
	vt_sleep_ms(200);
	ASSERT_EQ(0, genl_watch(g, vm, 1));
	run_out(cpu);
	ASSERT_EQ(0, genl_vm(g, VITRO_CMD_STATS_GET, NLM_F_DUMP, vm, note_times, &got));
	EXPECT_EQ(4, got.by_reason[VITRO_EXIT_IO].nr[VITRO_PLACE_USER]);
	EXPECT_GT(limit, got.by_reason[VITRO_EXIT_IO].max);
}

TEST_HARNESS_MAIN
