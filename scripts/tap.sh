# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests written in shell, which source this: TAP, and a directory that is removed at the end.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 count=0

# expect WHAT STATUS PATTERN COMMAND...: COMMAND gives STATUS, and PATTERN is in its output.
expect() {
    local what=$1 status=$2 pattern=$3 result=0
    shift 3
    count=$((count + 1))
    "$@" >"$work/output" 2>&1 </dev/null || result=$?
    if [ "$result" -eq "$status" ] && grep -qe "$pattern" "$work/output"; then
        echo "ok $count $what"
    else
        sed 's/^/# /' "$work/output"
        echo "# status $result instead of $status, or no '$pattern' in the output"
        echo "not ok $count $what"
        failed=1
    fi
}
