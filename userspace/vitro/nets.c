// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's network cards, as --net asks for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "boot.h"
#include "../devices/virtio_net.h"

#define USUAL_MTU	1500

/* Options that are wrong together; returns 0 or an exit status. */
static int check_net(const struct net_config *config)
{
	if (config->user == !!config->tap)
		return usage_error("--net: one of user and tap=NAME");
	if (config->tap && config->nr_forwards)
		return usage_error("--net: hostfwd is for user; the guest behind %s can be reached",
				   config->tap);
	if (config->tap && config->mtu)
		return usage_error("--net: mtu is for user; %s has one: ip link set %s mtu %u",
				   config->tap, config->tap, config->mtu);
	return 0;
}

static struct net_backend *open_user(const struct net_config *config, struct net_error *why)
{
	struct net_backend *backend = slirp_open(config->mtu ? config->mtu : USUAL_MTU, why);
	unsigned int i;

	for (i = 0; backend && i < config->nr_forwards; i++) {
		if (!slirp_forward(backend, config->forward[i].rule, why)) {
			backend->ops->free(backend);
			return NULL;
		}
	}
	return backend;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	unsigned int b[6], i;
	char end;

	if (strlen(text) != 17 || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2],
					 &b[3], &b[4], &b[5], &end) != 6)
		return false;
	for (i = 0; i < 6; i++)
		mac[i] = b[i];
	return !(mac[0] & 1);
}

/*
 * An address of the guest's choice, or ours.  Behind a TAP interface there may be
 * other guests, so it is random there; otherwise it is always the same, as all else.
 */
static bool choose_mac(const struct net_config *config, unsigned int nr, uint8_t mac[6])
{
	static const uint8_t usual[6] = { 0x02, 'v', 't', 'r', 'o', 0 };

	if (config->mac)
		return parse_mac(config->mac, mac);
	memcpy(mac, usual, sizeof(usual));
	mac[5] = nr;
	if (config->tap && getrandom(mac + 1, 5, 0) != 5)
		return false;
	return true;
}

static int add_net(struct machine *m, const struct net_config *config, unsigned int nr)
{
	int status = check_net(config), err;
	struct net_backend *backend;
	struct virtio_net *net;
	struct net_error why;
	char name[16];
	uint8_t mac[6];

	if (status)
		return status;
	if (!choose_mac(config, nr, mac))
		return usage_error("--net: mac '%s': as 52:54:00:12:34:56, not odd in front",
				   config->mac);
	backend = config->user ? open_user(config, &why) : tap_open(config->tap, &why);
	if (!backend) {
		fprintf(stderr, "vitro run: --net: %s\n", why.text);
		return END_USAGE;
	}
	net = calloc(1, sizeof(*net));
	if (!net) {
		backend->ops->free(backend);
		fprintf(stderr, "vitro run: out of memory\n");
		return END_HOST;
	}
	snprintf(name, sizeof(name), "net%u", nr);
	virtio_net_init(net, name, backend, mac);
	err = io_add(m, &net->dev, config->user ? SANDBOX_NET : SANDBOX_IO);
	if (!err)
		return 0;
	fprintf(stderr, "vitro run: --net: %s\n", strerror(-err));
	return END_HOST;
}

/**
 * nets_add - put the network cards into the machine
 * @m: the machine, as for io_add()
 * @config: what was asked for
 *
 * Return: 0 or an exit status; what is wrong has been said.
 */
int nets_add(struct machine *m, const struct config *config)
{
	unsigned int i;
	int status = 0;

	for (i = 0; i < config->nr_nets && !status; i++)
		status = add_net(m, &config->net[i], i);
	return status;
}
