#include "base/counted.hpp"
#include "doctor/check_functions.hpp"
#include "doctor/remedy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace keyturn {

namespace {

/// %d of LoadCredential= in ExecStart= exists since systemd 250.
constexpr int systemd_version_min = 250;
constexpr std::uint64_t mebibyte = 1024 * 1024;
/// Above the ballast, records and tokens of many tunnels.
constexpr std::uint64_t free_bytes_min = 16 * mebibyte;
constexpr std::uint64_t free_inodes_min = 200;

}  // namespace

Findings look_at_bus(const HostFacts& facts) {
    if (facts.system.bus_problem.empty()) return {};
    return {{{},
             fmt::format("{}. Without the system bus, keyturnd can restart nothing",
                         facts.system.bus_problem),
             "sudo systemctl restart dbus.socket"}};
}

Findings look_at_systemd_version(const HostFacts& facts) {
    const int version = facts.system.systemd_version;
    if (version == 0 || version >= systemd_version_min) return {};
    return {{{},
             fmt::format("systemd {} is too old: units need at least version {} to read their "
                         "token with LoadCredential=",
                         version, systemd_version_min),
             "sudo apt-get install --only-upgrade systemd"}};
}

Findings look_at_state_directory(const HostFacts& facts) {
    if (facts.system.state_problem.empty()) return {};
    return {{{},
             fmt::format("{}, so keyturnd cannot use it", facts.system.state_problem),
             "sudo systemd-tmpfiles --create keyturn.conf"}};
}

Findings look_at_disk_space(const HostFacts& facts) {
    if (facts.system.free_bytes >= free_bytes_min) return {};
    return {
        {{},
         fmt::format("the file system of /var/lib/keyturn has {} MiB left, and a rotation needs "
                     "up to {} MiB",
                     facts.system.free_bytes / mebibyte, free_bytes_min / mebibyte),
         "sudo journalctl --vacuum-size=100M"}};
}

Findings look_at_inodes(const HostFacts& facts) {
    if (facts.system.free_inodes >= free_inodes_min) return {};
    return {{{},
             fmt::format("the file system of /var/lib/keyturn has room for {}, and a "
                         "rotation may need {}",
                         counted(facts.system.free_inodes, "more file"), free_inodes_min),
             "sudo du --inodes --one-file-system --max-depth=3 /var | sort -n | tail"}};
}

Findings look_at_journal(const HostFacts& facts) {
    if (facts.system.journal_persistent) return {};
    return {{{},
             "the journal is lost at a reboot, and with it the record of what each rotation did",
             "sudo sh -c 'mkdir -p /etc/systemd/journald.conf.d && printf "
             "\"[Journal]\\nStorage=persistent\\n\" "
             ">/etc/systemd/journald.conf.d/zz-persistent.conf && systemctl restart "
             "systemd-journald && journalctl --flush'"}};
}

Findings look_at_swap(const HostFacts& facts) {
    if (facts.system.open_swaps.empty()) return {};
    return {{{},
             fmt::format("{} is not encrypted. keyturnd never swaps, but cloudflared may, and its "
                         "memory contains its token",
                         fmt::join(facts.system.open_swaps, ", ")),
             "swapon --show"}};
}

Findings look_at_updater(const HostFacts& facts) {
    if (facts.system.updater.empty()) return {};
    return {{{},
             fmt::format("{} restarts cloudflared after an update, at any time and without a look "
                         "at the other connectors",
                         facts.system.updater),
             "sudo systemctl disable --now " + facts.system.updater}};
}

Findings look_at_rotators(const HostFacts& facts) {
    Findings findings;
    for (const RotatorSeen& rotator : facts.system.rotators) {
        findings.push_back({{rotator.path},
                            fmt::format("{} mentions `{}`: if it changes a tunnel's secret, it and "
                                        "keyturnd undo each other's rotations",
                                        rotator.path, rotator.mark),
                            "sudoedit " + shell_word(rotator.path)});
    }
    return findings;
}

}  // namespace keyturn
