/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/storm: what no program can do to a machine by itself.  For root. */
#ifndef STORM_DEVICE_H
#define STORM_DEVICE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct storm_nmis - NMIs, one after the other, each when the one before has arrived
 * @cpu: sent to this CPU, which is not the sender's
 * @nr: how many
 * @arrived: out: how many the CPU has taken; with fewer than @nr the ioctl fails
 * @pad: 0
 */
struct storm_nmis {
	__u32 cpu;
	__u32 nr;
	__u32 arrived;
	__u32 pad;
};

#define STORM_NMIS	_IOWR('S', 1, struct storm_nmis)	/* -ETIMEDOUT: one was lost */
#define STORM_WAKE	_IO('S', 2)	/* arg: wake the machine every so many ms; 0: no more */

#endif /* STORM_DEVICE_H */
