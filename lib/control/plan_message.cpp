#include "control/plan_message.hpp"

#include "control/bus_time.hpp"
#include "control/text.hpp"

namespace keyturn {
namespace {

int append_units(sd_bus_message* message, const std::vector<std::string>& units) {
    int result = sd_bus_message_open_container(message, 'a', "s");
    for (const std::string& unit : units) {
        if (result >= 0) result = sd_bus_message_append(message, "s", bus_text(unit).c_str());
    }
    return result < 0 ? result : sd_bus_message_close_container(message);
}

int append_batches(sd_bus_message* message, const std::vector<int>& batches) {
    int result = sd_bus_message_open_container(message, 'a', "i");
    for (const int size : batches) {
        if (result >= 0) result = sd_bus_message_append(message, "i", size);
    }
    return result < 0 ? result : sd_bus_message_close_container(message);
}

int append_starts(sd_bus_message* message, const std::vector<PlannedStart>& starts) {
    int result = sd_bus_message_open_container(message, 'a', "(tttss)");
    for (const PlannedStart& start : starts) {
        if (result < 0) return result;
        result = sd_bus_message_append(message, "(tttss)", to_bus_time(start.due),
                                       to_bus_time(start.start), to_bus_time(start.end),
                                       start.cause.c_str(), bus_text(start.freeze).c_str());
    }
    return result < 0 ? result : sd_bus_message_close_container(message);
}

int append_plan(sd_bus_message* message, const TunnelPlan& plan) {
    int result = sd_bus_message_open_container(message, 'r', "sbsasaia(tttss)");
    if (result >= 0) {
        result = sd_bus_message_append(message, "sbs", bus_text(plan.name).c_str(),
                                       plan.paused ? 1 : 0, bus_text(plan.timezone).c_str());
    }
    if (result >= 0) result = append_units(message, plan.units);
    if (result >= 0) result = append_batches(message, plan.batches);
    if (result >= 0) result = append_starts(message, plan.starts);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

}  // namespace

int append_plans(sd_bus_message* message, const std::vector<TunnelPlan>& plans) {
    int result = sd_bus_message_open_container(message, 'a', "(sbsasaia(tttss))");
    for (const TunnelPlan& plan : plans) {
        if (result >= 0) result = append_plan(message, plan);
    }
    return result < 0 ? result : sd_bus_message_close_container(message);
}

}  // namespace keyturn
