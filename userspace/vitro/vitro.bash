# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion for vitro.  Commands, options and what these take are read from vitro's own help, so that
# there is no second list of them.

# Words of --help: the commands.
_vitro_commands() {
    vitro --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# _vitro_help COMMAND: a line "OPTION VALUE" for each option, VALUE in capitals as in the help.
_vitro_help() {
    vitro "$1" --help 2>/dev/null |
        sed -nE 's/^  (-[a-zA-Z], |    )?(--[a-z-]+)( [^ ]+)?( .*)?$/\1\2\3/p' |
        sed -E 's/^(-.), (--[^ ]*)(.*)/\1\3\n\2\3/; s/^ +//'
}

_vitro() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} value

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_vitro_commands) --help --version" -- "$cur")
        return
    fi
    value=$(_vitro_help "$command" | awk -v option="$prev" '$1 == option { print $2 }')
    case $value in
    FILE*) ;;
    MODE) mapfile -t COMPREPLY < <(compgen -W '16 32 64' -- "$cur") && return ;;
    ?*) return ;; # a number, a size, a name: nothing to offer
    *)
        if [ "${cur#-}" != "$cur" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_vitro_help "$command" | cut -d' ' -f1)" -- "$cur")
            return
        fi
        ;;
    esac
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

complete -F _vitro vitro
