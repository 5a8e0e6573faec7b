# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# The machines in Bochs: scripts/machine-amd-bochs and scripts/machine-intel set model, and source this.
# scripts/machine has set kdir, append and work, and will run emulator.
#
# Bochs cannot load a kernel by itself, so it gets a CD to boot from.

# The first that is missing names the job of scripts/deps that installs them all.
for file in /usr/bin/bochs-bin /usr/bin/xorriso /usr/lib/ISOLINUX/isolinux.bin \
    /usr/lib/syslinux/modules/bios/ldlinux.c32 /usr/share/bochs/BIOS-bochs-latest \
    /usr/share/vgabios/vgabios.bin; do
    [ -e "$file" ] || die "no $file" "install what machine $machine needs: scripts/deps bochs"
done
[ "$interactive" = no ] || die "machine $machine has no terminal" "give it a command after --"
[ -z "${MACHINE_ACCEL:-}" ] || die "MACHINE_ACCEL=$MACHINE_ACCEL: Bochs only emulates"

# megabytes SIZE: 512M or 1G, in MiB
megabytes() {
    case $1 in
    *[!0-9]*[!GM] | [!0-9]*) die "MACHINE_MEMORY=$1: give a size such as 512M or 1G" ;;
    *G) echo $((${1%G} * 1024)) ;;
    *) echo "${1%M}" ;;
    esac
}

# What Bochs makes of a second of the machine's time: with few instructions in it, delay loops are short;
# with too few, two CPUs waiting for each other take their wait for a hang.  Measured.
cpus=${MACHINE_CPUS:-1}
case $cpus in
1) ips=10000000 second_cpu='' ;;
2)
    ips=20000000 second_cpu=', CPU1=report'
    # Here a store of one CPU does not always wake the other from MWAIT: see Documentation/machines.rst.
    append+=" idle=nomwait"
    ;;
*) die "MACHINE_CPUS=$cpus: machine $machine can have 1 or 2" ;;
esac
# The checkers of this kernel take instructions, too, which limits of the machine's time should not have to know.
[ "${MACHINE_KERNEL:-}" != debug-light ] || ips=$((ips * 3))
ips=${MACHINE_IPS:-$ips}

# What a model claims to have, but Bochs 2.7 has not, or gets wrong: XSAVEC and XSAVES put the AVX state where
# XRSTOR does not look for it, over the header.
case $model in
ryzen) append+=" clearcpuid=mwaitx,xsavec,xsaves" ;;
corei3_cnl | corei7_skylake_x) append+=" clearcpuid=xsavec,xsaves" ;;
corei7_icelake_u | tigerlake) append+=" clearcpuid=fsrm,xsavec,xsaves" ;;
esac
# CPUID leaf 15h of the same Intel models says what rate the TSC has in silicon.  Here it counts instructions, and
# a kernel that believed the CPU would take each second for five minutes.
case $model in
corei3_cnl | corei7_skylake_x | corei7_icelake_u | tigerlake) append+=" tsc_early_khz=$((ips / 1000))" ;;
esac
# Only a reset by triple fault ends Bochs, and so a panic ends the run.
append+=" reboot=t"

make_iso() {
    local dir=$work/iso
    mkdir "$dir"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$dir"
    ln "$work/initramfs" "$dir/initramfs"
    cp "$(machine_image "$machine")" "$dir/kernel"
    printf 'DEFAULT linux\nPROMPT 0\nLABEL linux\nKERNEL /kernel\nINITRD /initramfs\nAPPEND %s\n' \
        "$append" >"$dir/isolinux.cfg"
    xorriso -as mkisofs -quiet -o "$work/machine.iso" -b isolinux.bin -c boot.cat -no-emul-boot \
        -boot-load-size 4 -boot-info-table "$dir" >"$work/xorriso.log" 2>&1 ||
        die "xorriso cannot make the machine's CD:" "$(cat "$work/xorriso.log")"
}

make_iso
mkdir -p "$build/log"
mkfifo "$work/command"
# For Bochs a triple fault of a guest is a panic of the CPU.  It must go on, and make an exit of it.
cat >"$work/bochsrc" <<END
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
megs: $(megabytes "${MACHINE_MEMORY:-$memory}")
cpu: model=$model, count=1:$cpus:1, ips=$ips, reset_on_triple_fault=0
clock: sync=none
ata0-master: type=cdrom, path=$work/machine.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/console
com2: enabled=1, mode=file, dev=$work/command
com3: enabled=1, mode=file, dev=$work/result
log: $work/bochs.log
display_library: term
panic: action=fatal, CPU0=report$second_cpu
error: action=report
info: action=report
debug: action=ignore
speaker: enabled=0
sound: driver=dummy
END
# What is not at /init by then hangs.
boot_limit=60
case $(kernel_of "$machine") in
debug*) boot_limit=600 ;;
esac
emulator=("$top/scripts/run-bochs" "$work" "$build/log/bochs-$machine.log" "$boot_limit")
