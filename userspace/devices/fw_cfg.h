/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's firmware configuration device, the part that is read through ports. */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include "bus.h"

#define FW_CFG_PORT	0x510
#define FW_CFG_PORTS	2

/**
 * struct fw_cfg - the device
 * @memory: bytes of RAM
 * @nr_cpus: processors
 * @key: item that is selected
 * @offset: its byte that is read next
 */
struct fw_cfg {
	uint64_t memory;
	uint16_t nr_cpus;
	uint16_t key;
	uint32_t offset;
};

extern const struct bus_ops fw_cfg_ops;

void fw_cfg_init(struct fw_cfg *fw, uint64_t memory, unsigned int nr_cpus);

#endif /* DEVICES_FW_CFG_H */
