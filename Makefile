# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can be made: see "make help".  All products go to build/.

MAKEFLAGS += --no-print-directory
PREFIX ?= /usr/local
export PREFIX DESTDIR
build := $(CURDIR)/build

.DEFAULT_GOAL := all
.PHONY: all module libvitro vitro selftests run check check-matrix check-debug check-kernels check-explainer check-guests check-report soak pictures bench latency bench-program mutate lint deps install uninstall insmod rmmod clean help

all: module libvitro vitro ## the module for the running kernel, or for KDIR=; the library; the launcher

module: ## vitro.ko alone
	+@scripts/build-module "$(KDIR)"

libvitro: ## the library alone
	@$(MAKE) -C userspace/libvitro O=$(build)/libvitro all

vitro: libvitro ## the launcher
	@$(MAKE) -C userspace/vitro O=$(build)/vitro LIBVITRO_O=$(build)/libvitro all

selftests: libvitro ## the test programs
	@scripts/linux-source
	@$(MAKE) -C selftests O=$(build)/selftests LIBVITRO_O=$(build)/libvitro \
		KSELFTEST_INC=$(build)/kselftest all
	@$(MAKE) -C selftests/host O=$(build)/host LIBVITRO_O=$(build)/libvitro \
		KSELFTEST_INC=$(build)/kselftest all

build/guest-initrd.img: scripts/guest-initramfs scripts/guest-init scripts/guest-hypervisor.c scripts/guest-stress.c
	@scripts/guest-initramfs $@

run: ## install what is missing, build, and boot a Linux guest in a test machine; MACHINE=amd, intel
	@MACHINE=$(MACHINE) scripts/run

check: ## install what is missing, build, run all tests; MACHINE=host, amd, intel and TESTS="pio msr" narrow it
	@scripts/check $(if $(MACHINE),--machine $(MACHINE)) $(TESTS)

check-matrix: ## the tests with more models of Intel CPUs, and what two that lack something are told
	@scripts/check --matrix $(TESTS)

check-debug: ## the tests on kernels that watch themselves: KASAN, lockdep and more; MACHINE=amd, intel; TESTS=""
	@scripts/check --debug $(if $(MACHINE),--machine $(MACHINE)) $(TESTS)

check-guests: ## run guests from Debian, for minutes; MACHINE=amd, intel; GUESTS="disk kernel" narrows it
	@scripts/check-guests $(if $(MACHINE),--machine $(MACHINE)) $(GUESTS)

check-kernels: ## vitro.ko for Linux 6.12 and for the newest of Debian's, and the tests on 6.12
	@scripts/check-kernels $(TESTS)

check-explainer: ## 50,000 entries, legal and illegal: does vitro why foretell what the CPU does? 10 minutes or more
	@scripts/check-explainer

soak: ## fuzzers and storms for SOAK_SECONDS=1200 in all, from SEED=; MACHINE=amd, intel, host
	@scripts/soak

bench: ## vitro against KVM, by instructions; MACHINE=amd, intel and ROWS="cpuid eoi" narrow it; 15 minutes
	@scripts/bench $(if $(MACHINE),--machine $(MACHINE)) $(ROWS)

latency: ## how long guests make an interrupt of the host wait, in instructions; MACHINE=amd or intel, 3 minutes
	@scripts/latency

bench-program: libvitro
	@$(MAKE) -C bench O=$(build)/bench LIBVITRO_O=$(build)/libvitro all

check-report: ## a recorded boot as a page of figures, judged and shown by Chromium; see build/report
	@scripts/deps report
	@scripts/check-report

pictures: ## make the pictures in Documentation/ anew
	@scripts/deps report
	@scripts/pictures

mutate: ## break the module on purpose, line by line: do the tests notice? takes half an hour
	@scripts/mutate

lint: ## checkpatch, sparse, W=1 and shellcheck; silent when clean
	@scripts/lint

deps: ## install the packages needed to build
	@scripts/deps build

install: all ## install module, library, launcher, manual pages and udev rule; PREFIX=/usr/local, DESTDIR=, KVER=
	@$(MAKE) -C userspace/libvitro O=$(build)/libvitro install
	@$(MAKE) -C userspace/vitro O=$(build)/vitro LIBVITRO_O=$(build)/libvitro install
	@scripts/install "$(DESTDIR)" $(KVER)

uninstall: ## remove them
	@$(MAKE) -C userspace/libvitro O=$(build)/libvitro uninstall
	@$(MAKE) -C userspace/vitro O=$(build)/vitro uninstall
	@scripts/install --remove "$(DESTDIR)" $(KVER)

insmod: module ## insert vitro.ko into the running kernel, which needs a CPU with SVM or VMX
	@scripts/insmod

rmmod: ## take it out again
	@scripts/insmod --remove

clean: ## remove build/
	rm -rf $(build)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
