#compdef keyturnctl
# Completion of keyturnctl for zsh.

_keyturnctl_tunnels() {
    local -a tunnels
    tunnels=(${(f)"$(busctl --system --list tree org.keyturn.Keyturn1 2>/dev/null |
        sed -n 's,^/org/keyturn/Keyturn1/tunnel/,,; t found; d; :found; s/_2d/-/g; s/_5f/_/g; p')"})
    _describe tunnel tunnels
}

_keyturnctl_units() {
    local -a units
    units=(${(f)"$(systemctl list-units --type=service --plain --no-legend 2>/dev/null |
        sed -n 's/^\([^ ]*\(cloudflare\|tunnel\)[^ ]*\) .*/\1/p')"})
    _describe unit units
}

_keyturnctl_fleet() {
    local -a commands
    commands=(
        'status:show the hosts of the fleet'
        'init:begin a fleet, with this host as its first'
        'join:make this host a member'
        'rejoin:join again, in the place of a clone'
        'decommission:remove a host that is gone for ever'
        'accept:go on from an object that was put back'
        'key:print a new fleet key'
    )
    if ((CURRENT == 3)); then
        _describe command commands
        return
    fi
    shift 2 words
    ((CURRENT -= 2))
    case ${words[1]} in
        init | join | rejoin) _arguments '--host:name:' '--help' ':tunnel:_keyturnctl_tunnels' ;;
        accept) _arguments '--rev:rev:' '--help' ':tunnel:_keyturnctl_tunnels' ;;
        status) _arguments '--help' ':tunnel:_keyturnctl_tunnels' ;;
        decommission) _arguments '--help' ':tunnel:_keyturnctl_tunnels' ':host:' ;;
    esac
}

_keyturnctl() {
    local -a commands
    commands=(
        'setup:bring the cloudflared units of this host under keyturn'
        'adopt:bring in single units, or take units out again'
        "surge:write the unit of a tunnel's extra connector"
        'doctor:check this host'
        'status:show the tunnels'
        'watch:watch rotations'
        'plan:show when tunnels are rotated next'
        'check:check a policy'
        'rotate:rotate the token of a tunnel now'
        'retry:continue a rotation that is held'
        'pause:start no rotation until resume'
        'resume:end a pause'
        'revert:go back to the old token'
        'fleet:rotate a tunnel that runs on several hosts together'
    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    case ${words[2]} in
        setup)
            _arguments '--yes' '--dry-run' '--accept-gap' '--detach' '--api-token-file:file:_files' \
                '--plain-credential' '--other-hosts' '--help'
            ;;
        adopt)
            _arguments '--undo' '--expose-token' '--yes' '--dry-run' '--accept-gap' '--detach' \
                '--help' '*:unit:_keyturnctl_units'
            ;;
        surge) _arguments '--yes' '--dry-run' '--help' ':tunnel:_keyturnctl_tunnels' ;;
        doctor)
            _arguments '--json' '--only:check:' '--ignore:check:' '--heed:check:' '--why:reason:' \
                '--dump:file:_files' '--help' '*:unit:_keyturnctl_units'
            ;;
        status) _arguments '--json' '--follow' '--help' ':tunnel:_keyturnctl_tunnels' ;;
        plan) _arguments '--next:number:' '--json' '--help' ':tunnel:_keyturnctl_tunnels' ;;
        check) _arguments '--help' ':policy:_files' ;;
        rotate)
            _arguments '--reason:text:' '--accept-gap' '--compromised' '--evict-all' \
                '--detach' '--follow' '--help' ':tunnel:_keyturnctl_tunnels'
            ;;
        retry | resume | revert) _arguments '--follow' '--help' ':tunnel:_keyturnctl_tunnels' ;;
        fleet) _keyturnctl_fleet ;;
        watch | pause) _arguments '--help' ':tunnel:_keyturnctl_tunnels' ;;
    esac
}

_keyturnctl "$@"
