// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints which hypervisor CPUID shows: the twelve letters of leaf 0x40000000, or
 * "none" when leaf 1 does not set the bit that says there is one (ECX bit 31,
 * reserved for this by both vendors: APM 3 E.3.2).
 */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	unsigned int eax, ebx, ecx, edx;
	char signature[13] = "none";

	__cpuid(1, eax, ebx, ecx, edx);
	if (ecx & (1U << 31)) {
		__cpuid(0x40000000, eax, ebx, ecx, edx);
		memcpy(signature, &ebx, 4);
		memcpy(signature + 4, &ecx, 4);
		memcpy(signature + 8, &edx, 4);
	}
	puts(signature);
	return 0;
}
