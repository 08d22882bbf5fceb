#include "units/running_units.hpp"

#include "bus/bus.hpp"
#include "units/manager_call.hpp"

#include <systemd/sd-id128.h>

#include <utility>
#include <vector>

namespace keyturn {

namespace {

/// Those of a rotation. A host may have thousands, which are looked at once a minute.
constexpr std::size_t units_known_max = 64;

Message list_unit(sd_bus* bus, const std::string& unit) {
    Message message = manager_call(bus, "ListUnitsByNames");
    if (message) sd_bus_message_append(message.get(), "as", 1, unit.c_str());
    return message;
}

Message unit_of_invocation(sd_bus* bus, const std::string& invocation) {
    sd_id128_t id{};
    if (sd_id128_from_string(invocation.c_str(), &id) < 0) return nullptr;
    Message message = manager_call(bus, "GetUnitByInvocationID");
    if (message) sd_bus_message_append_array(message.get(), 'y', id.bytes, sizeof id.bytes);
    return message;
}

/// A unit in systemd's list of units.
struct Listed {
    const char* load_state = nullptr;
    const char* active_state = nullptr;
    const char* sub_state = nullptr;
    std::uint32_t job = 0;
};

/// Nothing if the answer is not a list that begins with a unit.
std::optional<Listed> read_listed(const Result<Message>& answer) {
    Listed listed;
    if (!answer || sd_bus_message_enter_container(answer->get(), 'a', "(ssssssouso)") <= 0 ||
        sd_bus_message_read(answer->get(), "(ssssssouso)", nullptr, nullptr, &listed.load_state,
                            &listed.active_state, &listed.sub_state, nullptr, nullptr, &listed.job,
                            nullptr, nullptr) <= 0) {
        return std::nullopt;
    }
    return listed;
}

}  // namespace

void RunningUnits::note(const UnitState& state) {
    if (!state.running() || state.invocation.empty()) {
        units_.erase(state.name);
        return;
    }
    if (units_.size() >= units_known_max && !units_.contains(state.name)) units_.clear();
    units_[state.name] = state;
}

/// The second answer is the later one. An invocation belongs to one unit, until that is started
/// anew. So a unit that was listed as running, and whose invocation is the known one after that,
/// has run all the time.
Task<std::optional<UnitState>> RunningUnits::still_running(std::string unit) {
    const auto known = units_.find(unit);
    if (known == units_.end()) co_return std::nullopt;
    UnitState state = known->second;
    std::vector<Message> questions;
    questions.push_back(list_unit(bus_.handle(), unit));
    questions.push_back(unit_of_invocation(bus_.handle(), state.invocation));
    const auto answers = co_await bus_.exchange_all(std::move(questions), patience_);
    const std::optional<Listed> listed = read_listed(answers.front());
    const Result<Message>& found = answers.back();
    const bool same = found && sd_bus_message_is_method_error(found->get(), nullptr) == 0;
    if (!listed || !same) co_return std::nullopt;
    state.load_state = listed->load_state;
    state.active_state = listed->active_state;
    state.sub_state = listed->sub_state;
    state.job_pending = listed->job != 0;
    if (!state.running()) co_return std::nullopt;
    co_return state;
}

}  // namespace keyturn
