# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# What the scripts share.  Source it; it runs nothing by itself.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build

# die MESSAGE...: one line each, then fail.  The first says what, the others how to cure it.
die() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    shift
    [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
    exit 1
}

note() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

# seconds_since MICROSECONDS: elapsed time, for people.  Bash has no floats, so count in tenths.
seconds_since() {
    local tenths=$(((${EPOCHREALTIME/./} - $1) / 100000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# step NAME WHAT COMMAND...: run a step of a longer job, quietly and with a stopwatch.  Its output goes
# to build/log/NAME.log, and the end of that to the screen if it fails.
step() {
    local log=$build/log/$1.log what=$2 start=${EPOCHREALTIME/./} status=0
    shift 2
    mkdir -p "$build/log"
    printf '%s ... ' "$what"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    printf '%s s\n' "$(seconds_since "$start")"
    if [ "$status" -ne 0 ]; then
        printf '%s failed with status %d; the end of %s:\n' "$what" "$status" "$log" >&2
        tail -n 30 "$log" >&2
        exit "$status"
    fi
}

# submake TARGET...: make, on all CPUs, from a script that make itself may have started.
submake() {
    MAKEFLAGS='' make -C "$top" --no-print-directory -j"$(nproc)" "$@"
}

# machine_kernel: release of the kernel that test machines boot: the newest stock kernel of this host with
# both an image to boot and headers to build vitro.ko against.  MACHINE_KVER overrides.
machine_kernel() {
    local image kver
    if [ -n "${MACHINE_KVER:-}" ]; then
        echo "$MACHINE_KVER"
        return
    fi
    for image in $(printf '%s\n' /boot/vmlinuz-* | grep -Ev -- '-(rt|cloud)-' | sort -rV); do
        kver=${image#/boot/vmlinuz-}
        if [ -r "$image" ] && [ -e "/lib/modules/$kver/build/Makefile" ]; then
            echo "$kver"
            return
        fi
    done
    die "no kernel here has both an image in /boot and headers in /lib/modules" \
        "install them: apt-get install linux-image-amd64 linux-headers-amd64"
}

# kernel_of NAME: which kernel test machine NAME boots: stock, or one of scripts/test-kernel.  MACHINE_KERNEL
# overrides.
kernel_of() {
    case $1 in
    amd-bochs | intel) echo "${MACHINE_KERNEL:-small}" ;;
    *) echo "${MACHINE_KERNEL:-stock}" ;;
    esac
}

# machine_kdir NAME: build directory of the kernel that test machine NAME boots, which vitro.ko for that
# machine is built against.  One that is not stock may have to be built first.
machine_kdir() {
    local kernel
    kernel=$(kernel_of "$1")
    case $kernel in
    stock) machine_kernel | sed 's:.*:/lib/modules/&/build:' ;;
    *) "$top/scripts/test-kernel" "$kernel" ;;
    esac
}

# machine_image NAME: image of the kernel that test machine NAME boots.
machine_image() {
    case $(kernel_of "$1") in
    stock) echo "/boot/vmlinuz-$(machine_kernel)" ;;
    *) echo "$(machine_kdir "$1")/arch/x86/boot/bzImage" ;;
    esac
}

# guest_kernel NAME: image of the kernel that Linux guests in test machine NAME boot: the stock one or, where
# that takes minutes, the small one.
guest_kernel() {
    case $1 in
    amd-bochs | intel) echo "$("$top/scripts/test-kernel" small)/arch/x86/boot/bzImage" ;;
    *) echo "/boot/vmlinuz-$(machine_kernel)" ;;
    esac
}

# kernel_release KDIR: not include/config/kernel.release, which Debian's headers have wrong.
kernel_release() {
    sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$1/include/generated/utsrelease.h" 2>/dev/null ||
        die "$1 has not been configured and prepared" "of a kernel's source, run in it: make olddefconfig modules_prepare"
}

# cpu_seconds PID: fields 14 and 15 of proc_pid_stat(5), in ticks; fails when it has ended
cpu_seconds() {
    local -a stat
    read -r -a stat 2>/dev/null <"/proc/$1/stat" && [ "${stat[2]}" != Z ] &&
        echo $(((stat[13] + stat[14]) / $(getconf CLK_TCK)))
}

# at_init CONSOLE: has the kernel of a test machine come to /init?  One that is quiet does not say so itself.
at_init() {
    grep -q 'Run /init as init process\|machine-init: begun' "$1" 2>/dev/null
}
