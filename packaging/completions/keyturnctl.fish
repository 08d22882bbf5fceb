# Completion of keyturnctl for fish.

function __keyturnctl_tunnels
    busctl --system --list tree org.keyturn.Keyturn1 2>/dev/null |
        sed -n 's,^/org/keyturn/Keyturn1/tunnel/,,; t found; d; :found; s/_2d/-/g; s/_5f/_/g; p'
end

function __keyturnctl_units
    systemctl list-units --type=service --plain --no-legend 2>/dev/null |
        sed -n 's/^\([^ ]*\(cloudflare\|tunnel\)[^ ]*\) .*/\1/p'
end

complete -c keyturnctl -f
complete -c keyturnctl -n __fish_use_subcommand -a setup -d "Bring this host's units under keyturn"
complete -c keyturnctl -n __fish_use_subcommand -a adopt -d "Bring in single units, or undo that"
complete -c keyturnctl -n __fish_use_subcommand -a surge -d "Write the unit of an extra connector"
complete -c keyturnctl -n __fish_use_subcommand -a doctor -d "Check this host"
complete -c keyturnctl -n __fish_use_subcommand -a status -d "Show the tunnels"
complete -c keyturnctl -n __fish_use_subcommand -a watch -d "Watch rotations"
complete -c keyturnctl -n __fish_use_subcommand -a plan -d "Show when tunnels are rotated next"
complete -c keyturnctl -n __fish_use_subcommand -a check -d "Check a policy"
complete -c keyturnctl -n __fish_use_subcommand -a rotate -d "Rotate the token of a tunnel now"
complete -c keyturnctl -n __fish_use_subcommand -a retry -d "Continue a rotation that is held"
complete -c keyturnctl -n __fish_use_subcommand -a pause -d "Start no rotation until resume"
complete -c keyturnctl -n __fish_use_subcommand -a resume -d "End a pause"
complete -c keyturnctl -n __fish_use_subcommand -a revert -d "Go back to the old token"
complete -c keyturnctl -n __fish_use_subcommand -a fleet -d "Rotate on several hosts together"

set --local of_fleet status init join rejoin decommission accept key
set --local wants_one "__fish_seen_subcommand_from fleet; and test (count (commandline -opc)) -eq 2"
set --local has_one "__fish_seen_subcommand_from fleet; and test (count (commandline -opc)) -eq 3"
complete -c keyturnctl -n "$wants_one" -a "$of_fleet"
complete -c keyturnctl -n "$has_one" -a "(__keyturnctl_tunnels)"
complete -c keyturnctl -n "__fish_seen_subcommand_from init join rejoin" -l host -x \
    -d "The name of this host in the fleet"
complete -c keyturnctl -n "__fish_seen_subcommand_from accept" -l rev -x -d "The rev that it has now"

set --local of_tunnels surge status watch plan rotate retry pause resume revert
complete -c keyturnctl -n "__fish_seen_subcommand_from $of_tunnels" -a "(__keyturnctl_tunnels)"
complete -c keyturnctl -n "__fish_seen_subcommand_from adopt doctor" -a "(__keyturnctl_units)"
complete -c keyturnctl -n "__fish_seen_subcommand_from check" -F
complete -c keyturnctl -n "__fish_seen_subcommand_from setup adopt surge" -l yes -d "Ask nothing"
complete -c keyturnctl -n "__fish_seen_subcommand_from setup adopt surge" -l dry-run \
    -d "Show the changes and make none"
complete -c keyturnctl -n "__fish_seen_subcommand_from setup adopt rotate" -l accept-gap \
    -d "Let traffic stop for a moment"
complete -c keyturnctl -n "__fish_seen_subcommand_from setup adopt rotate" -l detach \
    -d "Even if your login comes through the tunnel"
complete -c keyturnctl -n "__fish_seen_subcommand_from setup" -l api-token-file -rF \
    -d "Read the API token from a file"
complete -c keyturnctl -n "__fish_seen_subcommand_from setup" -l plain-credential \
    -d "Do not encrypt the API token"
complete -c keyturnctl -n "__fish_seen_subcommand_from setup" -l other-hosts \
    -d "Also bring in tunnels that run on other hosts"
complete -c keyturnctl -n "__fish_seen_subcommand_from adopt" -l undo -d "Take units out again"
complete -c keyturnctl -n "__fish_seen_subcommand_from adopt" -l expose-token \
    -d "Write the token where other users can read it"
complete -c keyturnctl -n "__fish_seen_subcommand_from status plan doctor" -l json -d "Print JSON"
complete -c keyturnctl -n "__fish_seen_subcommand_from plan" -l next -x -d "How many rotations"
complete -c keyturnctl -n "__fish_seen_subcommand_from doctor" -l only -x -d "Run one check"
complete -c keyturnctl -n "__fish_seen_subcommand_from doctor" -l ignore -x -d "Ignore a check"
complete -c keyturnctl -n "__fish_seen_subcommand_from doctor" -l heed -x -d "Count a check again"
complete -c keyturnctl -n "__fish_seen_subcommand_from doctor" -l why -x -d "Why it is ignored"
complete -c keyturnctl -n "__fish_seen_subcommand_from doctor" -l dump -rF -d "Collect a bug report"
complete -c keyturnctl -n "__fish_seen_subcommand_from rotate" -l reason -x -d "For the journal"
complete -c keyturnctl -n "__fish_seen_subcommand_from rotate" -l compromised \
    -d "Somebody else has the token"
complete -c keyturnctl -n "__fish_seen_subcommand_from rotate" -l evict-all \
    -d "Drop all connections first"
complete -c keyturnctl -n "__fish_seen_subcommand_from status rotate retry resume revert" -l follow \
    -d "Show the progress until the end"
