#include "simulation/history.hpp"

#include "journal/entry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace keyturn::simulation {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

/// The policy in the words of the policy file. `ends` means that nothing is open when the run ends.
std::string policy_words(const TunnelPolicy& policy, const FaultPlan& faults) {
    const bool disk_fails =
        faults.rate(FaultKind::disk_call) > 0 || faults.rate(FaultKind::disk_full) > 0;
    const RolloutPolicy& rollout = policy.rollout;
    return fmt::format(
        "units={} batches={} canary={} settle={}ms soak={}ms soak_min={}ms min_healthy_time={}ms "
        "surge={} restart={} slack=0 ends={} disk_fails={}",
        fmt::join(policy.units, ","), rollout.batches, rollout.canary ? "yes" : "no",
        rollout.settle.count(), rollout.soak.count(), rollout.soak_min.count(),
        rollout.min_healthy_time.count(), name_of(rollout.surge), name_of(policy.drift.restart),
        faults.rate(FaultKind::state_lost) > 0 ? "no" : "yes",  // The story may break off there.
        disk_fails ? "yes" : "no");
}

void write_line(std::FILE* file, const nlohmann::json& fields) {
    const std::string line = fields.dump() + "\n";
    std::fwrite(line.data(), 1, line.size(), file);
}

}  // namespace

HistoryFile::HistoryFile(const std::string& path) : file_(std::fopen(path.c_str(), "w")) {}

HistoryFile::~HistoryFile() {
    if (file_ != nullptr) std::fclose(file_);
}

void HistoryFile::begin(std::uint64_t seed, const Scenario& scenario) {
    machine_ = fmt::format("{:032}", seed);
    for (const TunnelPolicy& policy : scenario.tunnels) {
        write_line(file_, {{"_MACHINE_ID", machine_},
                           {"TUNNEL_NAME", policy.name},
                           {"POLICY", policy_words(policy, scenario.faults)}});
    }
}

void HistoryFile::add(const Event& event, const Moment& moment) {
    const auto since_epoch = [](auto time) {
        return std::to_string(duration_cast<microseconds>(time.time_since_epoch()).count());
    };
    nlohmann::json fields{{"_MACHINE_ID", machine_},
                          {"_BOOT_ID", fmt::format("{:032x}", moment.boot)},
                          {"__MONOTONIC_TIMESTAMP", since_epoch(moment.now)},
                          {"__REALTIME_TIMESTAMP", since_epoch(moment.wall)}};
    for (const std::string& field : journal_fields(event)) {
        const std::size_t equals = field.find('=');
        fields[field.substr(0, equals)] = field.substr(equals + 1);
    }
    write_line(file_, fields);
}

}  // namespace keyturn::simulation
