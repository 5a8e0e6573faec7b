# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known about the rows of bench: what they shall be, and where they prove nothing."""

# vitro / KVM, at most.  Other rows: less than 1.
TARGETS = {
    'cpuid': 0.40, 'hypercall': 0.40, 'out-eventfd': 0.35, 'out-user': 0.40, 'in-user': 0.40,
    'mmio-read': 0.50, 'mmio-write': 0.50, 'doorbell': 0.35, 'cr0-wp': 0.40, 'eoi': 0.35,
    'self-ipi-write': 0.35, 'self-ipi-hlt': 0.60, 'deadline': 0.60, 'touch-4k': 0.60,
    'dirty-harvest': 0.50, 'create-vm': 0.20, 'memory': 0.50, 'boot-1': 0.95, 'boot-4': 0.95,
}

# TCG saves no next RIP (CPUID Fn8000_000A_EDX[NRIPS]), so KVM runs its instruction emulator for these, and vitro
# fetches and decodes the instruction.  A CPU with NRIPS does neither.
NO_NEXT_RIP = ['cpuid', 'hypercall', 'msr-kernel', 'msr-user', 'eoi', 'self-ipi-write', 'self-ipi',
               'self-ipi-hlt', 'deadline', 'ipi', 'irqfd', 'cr0-wp', 'cr4-pge']
# TCG has no pause filter either (CPUID Fn8000_000A_EDX[10]), so KVM lets a vCPU spin for another, until the host's
# scheduler takes the CPU from it.
NO_PAUSE_FILTER = ['boot-4']
UNFAIR = {'amd': NO_NEXT_RIP + NO_PAUSE_FILTER}

# Rows that are the same guest code without any exit, under both.
NO_EXIT = {
    'amd': ['nothing', 'cr8'],
    'intel': ['nothing', 'cr8', 'cr0-wp', 'cr4-pge'],  # these bits are the guest's own in the VMCS
}


def ratio(row):
    """vitro / KVM, or None where one of them has no figure, or there is nothing to compare."""
    if row.get('vitro') is None or not row.get('kvm'):
        return None
    return row['vitro'] / row['kvm']


def target(machine, name):
    """The most that ratio() may be in a machine; None: anything."""
    return None if name in NO_EXIT[machine] else TARGETS.get(name, 1.0)
