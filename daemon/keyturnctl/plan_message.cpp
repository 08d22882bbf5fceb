#include "plan_message.hpp"

#include "control/bus_time.hpp"

#include <cstdint>
#include <utility>

namespace keyturn {
namespace {

/// Goes into an array and calls `read_one` for each of its items; `read_one` answers 0 at the end.
template <class ReadOne>
int read_array(sd_bus_message* message, const char* items, ReadOne read_one) {
    int result = sd_bus_message_enter_container(message, 'a', items);
    while (result >= 0 && (result = read_one()) > 0) {
    }
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

int read_units(sd_bus_message* message, std::vector<std::string>& units) {
    return read_array(message, "s", [&] {
        const char* unit = nullptr;
        const int result = sd_bus_message_read(message, "s", &unit);
        if (result > 0) units.emplace_back(unit);
        return result;
    });
}

int read_batches(sd_bus_message* message, std::vector<int>& batches) {
    return read_array(message, "i", [&] {
        int size = 0;
        const int result = sd_bus_message_read(message, "i", &size);
        if (result > 0) batches.push_back(size);
        return result;
    });
}

int read_starts(sd_bus_message* message, std::vector<PlannedStart>& starts) {
    return read_array(message, "(tttss)", [&] {
        std::uint64_t due = 0;
        std::uint64_t start = 0;
        std::uint64_t end = 0;
        const char* cause = nullptr;
        const char* freeze = nullptr;
        const int result =
            sd_bus_message_read(message, "(tttss)", &due, &start, &end, &cause, &freeze);
        if (result > 0) {
            starts.push_back({from_bus_time(due).value_or(WallTime{}), from_bus_time(start),
                              from_bus_time(end), cause, freeze});
        }
        return result;
    });
}

int read_plan(sd_bus_message* message, std::vector<TunnelPlan>& plans) {
    int result = sd_bus_message_enter_container(message, 'r', "sbsasaia(tttss)");
    if (result <= 0) return result;
    TunnelPlan plan;
    const char* name = nullptr;
    int paused = 0;
    const char* timezone = nullptr;
    result = sd_bus_message_read(message, "sbs", &name, &paused, &timezone);
    if (result < 0) return result;
    plan.name = name;
    plan.paused = paused != 0;
    plan.timezone = timezone;
    result = read_units(message, plan.units);
    if (result >= 0) result = read_batches(message, plan.batches);
    if (result >= 0) result = read_starts(message, plan.starts);
    if (result < 0) return result;
    plans.push_back(std::move(plan));
    result = sd_bus_message_exit_container(message);
    return result < 0 ? result : 1;
}

}  // namespace

int read_plans(sd_bus_message* reply, std::vector<TunnelPlan>& plans) {
    return read_array(reply, "(sbsasaia(tttss))", [&] { return read_plan(reply, plans); });
}

}  // namespace keyturn
