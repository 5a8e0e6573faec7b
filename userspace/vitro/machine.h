/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: processors, memory, devices, and how it ends.
 *
 * Threads: each vCPU has one, in cpu_run(); each virtio device has one, in io.c; the
 * main thread waits for the world outside: input, timers, signals.  Lock legend, the
 * letter in brackets:
 *
 *   [I] immutable once the vCPUs run
 *   [m] machine->lock: whoever touches a device
 *   [e] machine->end_lock
 *   [a] atomic
 *
 * Lock order: pause.cpus, machine->lock, end_lock, console.lock, pause.lock.
 */
#ifndef VITRO_MACHINE_H
#define VITRO_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <vitro/vitro.h>

#include "console.h"
#include "control.h"
#include "exitcode.h"
#include "io.h"
#include "pause.h"
#include "stuck.h"
#include "../devices/bus.h"
#include "../devices/debugcon.h"
#include "../devices/debugexit.h"
#include "../devices/fw_cfg.h"
#include "../devices/i8042.h"
#include "../devices/ioapic.h"
#include "../devices/memory.h"
#include "../devices/pic.h"
#include "../devices/pit.h"
#include "../devices/pm.h"
#include "../devices/pvpanic.h"
#include "../devices/rtc.h"
#include "../devices/uart.h"
#include "../devices/virtio_balloon.h"
#include "../devices/virtio_console.h"

struct machine;

/**
 * struct cpu - a processor of a machine
 * @machine: [I] it
 * @vcpu: [I] its handle; used by its own thread, and for kicks
 * @id: [I] number and APIC id
 * @thread: [I] which
 * @frozen: [a] it stands though the machine goes on; changed under pause.lock
 * @stuck: does it get anywhere? its own thread only
 */
struct cpu {
	struct machine *machine;
	struct vitro_vcpu *vcpu;
	unsigned int id;
	pthread_t thread;
	atomic_bool frozen;
	struct stuck stuck;
};

/**
 * struct machine - a machine
 * @dev: [I] /dev/vitro
 * @vm: [I] its handle
 * @nr_cpus: [I] processors
 * @cpu: [I] they, by id
 * @is_snippet: [I] HLT with interrupts off is the regular end
 * @dump_path: [I] file for an entry that the CPU refuses, or NULL
 * @dump_fd: [I] the same, open: later, nothing can be opened any more (sandbox.h)
 * @dump_made: [I] it was not there before
 * @dump_used: [a] there is an entry in it
 * @symbols: [I] names of the guest's addresses, or NULL
 * @stuck_ns: [I] after so long, a guest that gets nowhere is stuck
 * @fallen: the processor that ended it by a triple fault, or NULL; read when its thread is over
 * @memory: [I] where the guest's memory is in this process, for devices
 * @pause: whether and why the vCPUs stand still; has a lock of its own
 * @control: [I] where others ask for things, or NULL
 * @gdb: [a] the gdb stub, or NULL; stays once it is there
 * @lock: guards the devices
 * @bus: [I] which device answers where
 * @uart: @ioapic: @rtc: @pm: @i8042: @pic: @pit: @fw_cfg: @pvpanic: @debugcon:
 *	@debugexit: [m] the devices
 * @panic_scan: [m] looks for a panic in what goes to the console
 * @io: [I] the virtio devices; @lock guards their registers
 * @nr_io: [I] their number
 * @nr_stopping: [m] of them are being reset
 * @settled: signalled when that is 0 again
 * @balloon: [I] one of them, or NULL
 * @hvc: [I] one of them, or NULL: the virtio console that has the terminal
 * @hvc_pipe: [I] its input: to be read by it, to be written by the main thread
 * @hvc_scan: looks for a panic in what goes to it; its thread only
 * @console: has locks of its own
 * @panicked: [a] the guest has panicked, as far as we know
 * @panic_fd: [I] timerfd: the guest said by pvpanic that it panicked; wait no longer
 * @rtc_fd: [I] timerfd for the clock
 * @pit_fd: [I] timerfd for the interval timer
 * @wake_fd: [I] eventfd that wakes the main thread: input is wanted, or the end
 * @end_lock: guards how it ended
 * @ended: [a] it has; never becomes false again
 * @status: [e] exit status
 * @why: [e] the same in words
 */
struct machine {
	struct vitro *dev;
	struct vitro_vm *vm;
	unsigned int nr_cpus;
	struct cpu cpu[VITRO_MAX_VCPUS];
	bool is_snippet;
	const char *dump_path;
	int dump_fd;
	bool dump_made;
	atomic_bool dump_used;
	struct symbols *symbols;
	uint64_t stuck_ns;
	struct cpu *fallen;
	struct guest_memory memory;
	struct pause pause;
	struct control *control;
	struct gdb *_Atomic gdb;

	pthread_mutex_t lock;
	struct bus bus;
	struct uart uart;
	struct ioapic ioapic;
	struct rtc rtc;
	struct pm pm;
	struct i8042 i8042;
	struct pic pic;
	struct pit pit;
	struct fw_cfg fw_cfg;
	struct pvpanic pvpanic;
	struct debugcon debugcon;
	struct debugexit debugexit;
	struct panic_scan panic_scan;
	struct io *io[VIRTIO_MMIO_MAX];
	unsigned int nr_io;
	unsigned int nr_stopping;
	pthread_cond_t settled;
	struct virtio_balloon *balloon;
	struct virtio_console *hvc;
	int hvc_pipe[2];
	struct panic_scan hvc_scan;
	struct console console;

	atomic_bool panicked;
	int panic_fd;
	int rtc_fd;
	int pit_fd;
	int wake_fd;

	pthread_mutex_t end_lock;
	atomic_bool ended;
	enum exitcode status;
	char why[512];
};

bool machine_init(struct machine *m);
void machine_fini(struct machine *m);
void machine_wake(struct machine *m);
void machine_feed(struct machine *m);
void machine_rtc_tick(struct machine *m);
void machine_pit_tick(struct machine *m);
void machine_press_button(struct machine *m);
int machine_inta(struct machine *m);
int machine_add_debugexit(struct machine *m, unsigned int port);
bool machine_end(struct machine *m, enum exitcode status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* extras.c */
size_t hvc_feed(struct machine *m, const uint8_t *data, size_t len);
void hvc_resize(struct machine *m);
void balloon_resize(struct machine *m, int mebibytes);

/* world.c */
int world_run(struct machine *m, uint64_t deadline);

/* refused.c */
bool refused_open(struct machine *m, const char *path);
void refused_close(struct machine *m);
void refused_why(struct cpu *cpu, char *text, size_t size);

/* cpu.c */
uint64_t cpu_linear(const struct vitro_state *state, unsigned int seg, uint64_t offset);
void *cpu_run(void *arg);

#endif /* VITRO_MACHINE_H */
