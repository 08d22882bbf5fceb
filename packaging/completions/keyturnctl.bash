# Completion of keyturnctl for bash.

_keyturnctl_tunnels() {
    busctl --system --list tree org.keyturn.Keyturn1 2>/dev/null |
        sed -n 's,^/org/keyturn/Keyturn1/tunnel/,,; t found; d; :found; s/_2d/-/g; s/_5f/_/g; p'
}

_keyturnctl_units() {
    systemctl list-units --type=service --plain --no-legend 2>/dev/null |
        sed -n 's/^\([^ ]*\(cloudflare\|tunnel\)[^ ]*\) .*/\1/p'
}

_keyturnctl() {
    local commands="setup adopt surge doctor status watch plan check rotate retry pause resume revert fleet"
    local of_fleet="status init join rejoin decommission accept key"
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options= names=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
        return
    fi
    case $before in
        --api-token-file | --dump)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --reason | --next | --only | --ignore | --heed | --why | --host | --rev) return ;;
    esac
    case $command in
        setup) options="--yes --dry-run --accept-gap --detach --api-token-file --plain-credential --other-hosts" ;;
        adopt) options="--undo --expose-token --yes --dry-run --accept-gap --detach" ;;
        surge) options="--yes --dry-run" ;;
        doctor) options="--json --only --ignore --heed --why --dump" ;;
        status) options="--json --follow" ;;
        plan) options="--next --json" ;;
        rotate) options="--reason --accept-gap --compromised --evict-all --detach --follow" ;;
        retry | resume | revert) options="--follow" ;;
        fleet)
            case ${COMP_WORDS[2]} in
                init | join | rejoin) options="--host" ;;
                accept) options="--rev" ;;
            esac
            ;;
    esac
    case $command in
        adopt | doctor) names=$(_keyturnctl_units) ;;
        check)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        setup) ;;
        fleet)
            if [ "$COMP_CWORD" -eq 2 ]; then
                names=$of_fleet
            elif [ "${COMP_WORDS[2]}" != key ]; then
                names=$(_keyturnctl_tunnels)
            fi
            ;;
        *) names=$(_keyturnctl_tunnels) ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$names $options --help" -- "$word")
}

complete -F _keyturnctl keyturnctl
