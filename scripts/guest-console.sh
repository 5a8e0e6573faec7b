# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What scripts/guests use in a test machine: they start a guest, type at its console, read what it prints,
# and report in TAP.  For busybox' sh.

log=/tmp/console # what vitro and its guest have printed
input=/tmp/keyboard
guest=''       # process id of vitro run
seen=0         # bytes of the log that have been looked at
count=0 failed=0 commands=0

# How many times as long as they say to wait, for the computer may be busy.  Bochs counts time in instructions, few
# of them to the second: guests need more of such seconds, and looking at their console costs.
case $VITRO_MACHINE in
amd) patience=3 pause=0.2 ;;
*) patience=5 pause=1 ;;
esac
trap '' PIPE # a guest that is gone does not listen any more

# start OPTION...: start a guest with these options of vitro run.
start() {
    rm -f "$input"
    mkfifo "$input"
    : >"$log"
    seen=0
    vitro run "$@" <"$input" >"$log" 2>&1 &
    guest=$!
    exec 3>"$input"
}

# unseen: what the guest has printed since await() last found something.
unseen() {
    tail -c +$((seen + 1)) "$log" | tr -d '\r'
}

# await PATTERN SECONDS: until the guest prints PATTERN.  What follows that is taken as seen, too: the guest
# is expected to wait for an answer.
await() {
    local until=$(($(date +%s) + $2 * patience))
    until unseen | grep -q -e "$1"; do
        if ! kill -0 "$guest" 2>/dev/null; then
            echo "the guest has ended; it did not print: $1"
            return 1
        fi
        if [ "$(date +%s)" -ge $until ]; then
            echo "the guest has not printed within $2 seconds: $1"
            return 1
        fi
        sleep "$pause"
    done
    unseen >/tmp/reply
    seen=$(wc -c <"$log")
}

# type_line TEXT: on the guest's keyboard.  That the guest is gone shows when its answer is awaited.
type_line() {
    printf '%s\n' "$1" 2>/dev/null >&3 || true
}

# log_in SECONDS: as root, when the guest has come to its login prompt.
log_in() {
    await 'guest login: ' "$1" || return
    type_line root
    await 'Password: ' 60 || return
    type_line vitro
    await '[#$] ' 60 || return
    take_shell
}

# take_shell: make of an interactive shell one that neither prompts nor echoes, nor edits lines.
take_shell() {
    # shellcheck disable=SC2016 # the guest expands it
    type_line 'stty -echo; exec sh -c '\''while read -r line; do eval "$line"; done'\'
    sleep 1
    in_guest true
}

# in_guest COMMAND [SECONDS]: run it in the guest's shell, with its status; its output is in /tmp/reply.
in_guest() {
    local status
    commands=$((commands + 1))
    type_line "$1; echo end-of-$commands-\$?."
    await "end-of-$commands-[0-9]*\\." "${2:-60}" || return
    status=$(sed -n "s/.*end-of-$commands-\([0-9]*\)\..*/\1/p" /tmp/reply)
    [ "$status" -eq 0 ] || echo "in the guest, status $status: $1"
    return "$status"
}

# replies PATTERN: a line of the last command's output matches.
replies() {
    grep -q -e "$1" /tmp/reply || {
        echo "no line of the guest's output matches: $1"
        return 1
    }
}

# no_warning: the guest's kernel has not complained.  It searches its log itself: a serial port is slow.
no_warning() {
    in_guest "dmesg | grep -E 'WARNING: (CPU|possible)|BUG: |Oops|Call Trace:|INFO: task|detected stalls|\
unchecked MSR'; test \$? -eq 1" || {
        cat /tmp/reply
        return 1
    }
}

# ends STATUS SECONDS: the guest ends, and vitro run gives STATUS.
ends() {
    local until=$(($(date +%s) + $2 * patience)) status=0
    while kill -0 "$guest" 2>/dev/null; do
        if [ "$(date +%s)" -ge $until ]; then
            echo "the guest has not ended within $2 seconds"
            kill -KILL "$guest"
            wait "$guest"
            return 1
        fi
        sleep "$pause"
    done
    wait "$guest" || status=$?
    exec 3>&-
    [ $status -eq "$1" ] || {
        echo "vitro run gave status $status instead of $1"
        return 1
    }
}

# check WHAT COMMAND...: one case, which passes if COMMAND succeeds.
check() {
    local what=$1
    shift
    count=$((count + 1))
    # Not in a subshell, nor by a pipe: it may set variables.
    if "$@" >/tmp/why 2>&1; then
        echo "ok $count $what"
        return
    fi
    failed=1
    sed 's/^/# /' /tmp/why
    echo "# the end of the guest's console:"
    tail -n 25 "$log" | tr -d '\r' | sed 's/^/#   /'
    echo "not ok $count $what"
}

# finish: the last case, which judges the machine's own kernel, and the plan.
finish() {
    kill -KILL "$guest" 2>/dev/null || true
    check "the machine's kernel has nothing to complain of" /selftests/log
    echo "1..$count"
    exit $failed
}
