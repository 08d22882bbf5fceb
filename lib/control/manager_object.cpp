#include "control/manager_object.hpp"

#include "wire/names.hpp"
#include "wire/plan_type.hpp"
#include "wire/requests.hpp"
#include "wire/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

constexpr std::size_t options_max = 2 + rotate_flags.size();
constexpr std::size_t option_bytes_shown_max = 40;

const char* error_name_of(Fault fault, const char* conflict_name) {
    switch (fault) {
        case Fault::missing: return control_error::no_such_tunnel;
        case Fault::denied: return control_error::refused;
        case Fault::conflict: return conflict_name;
        case Fault::invalid: return SD_BUS_ERROR_INVALID_ARGS;
        case Fault::unreachable:
        case Fault::busy:
        case Fault::ambiguous:
        case Fault::storage:
        case Fault::cancelled:
        case Fault::deposed:
        case Fault::silent: break;
    }
    return SD_BUS_ERROR_FAILED;
}

void reply_with(sd_bus_message* call, const Result<void>& result, const char* conflict_name) {
    if (result) {
        sd_bus_reply_method_return(call, "");
    } else {
        sd_bus_reply_method_errorf(call, error_name_of(result.error().fault, conflict_name), "%s",
                                   bus_text(result.error().text).c_str());
    }
}

int invalid(sd_bus_error* error, const std::string& text) {
    return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, text.c_str());
}

int read_reason(sd_bus_message* call, RotationRequest& request, sd_bus_error* error) {
    const char* reason = nullptr;
    if (sd_bus_message_read(call, "v", "s", &reason) < 0) {
        return invalid(error, "the option reason must be a string");
    }
    const std::string_view text = reason;
    if (text.size() > rotate_reason_bytes_max || !is_one_line(text)) {
        return invalid(
            error,
            fmt::format(
                "a reason must be one line of at most {} bytes, without invisible characters",
                rotate_reason_bytes_max));
    }
    request.trigger = text;
    return 0;
}

/// Reads one name after the other, because the bus daemon allows calls of up to 32 MiB.
int read_units(sd_bus_message* call, RotationRequest& request, sd_bus_error* error) {
    int result = sd_bus_message_enter_container(call, 'v', "as");
    if (result >= 0) result = sd_bus_message_enter_container(call, 'a', "s");
    if (result < 0) return invalid(error, "the option units must be an array of strings");
    const char* name = nullptr;
    while ((result = sd_bus_message_read_basic(call, 's', &name)) > 0) {
        const std::string_view unit = name;
        if (unit.empty() || unit.size() > unit_name_bytes_max || !is_one_line(unit)) {
            return invalid(error, "the option units must contain names of units");
        }
        if (request.units.size() == rotate_units_max) {
            return invalid(error, fmt::format("the option units must contain at most {} units",
                                              rotate_units_max));
        }
        request.units.emplace_back(unit);
    }
    if (result >= 0) result = sd_bus_message_exit_container(call);
    return result < 0 ? result : sd_bus_message_exit_container(call);
}

/// An unknown option is an error, because keyturnd would not do what the caller asks for.
int read_option(sd_bus_message* call, RotationRequest& request, sd_bus_error* error) {
    const char* key = nullptr;
    if (const int result = sd_bus_message_read(call, "s", &key); result < 0) return result;
    const std::string_view option = key;
    if (option == reason_option) return read_reason(call, request, error);
    if (option == units_option) return read_units(call, request, error);
    for (const RotateFlag& flag : rotate_flags) {
        if (option != flag.name) continue;
        int set = 0;
        if (sd_bus_message_read(call, "v", "b", &set) < 0) {
            return invalid(error, fmt::format("the option {} must be a boolean", option));
        }
        if (set != 0 && flag.is_kind && request.kind != RotationKind::routine) {
            return invalid(error, "only one of compromised, adopt and release can be true");
        }
        if (set != 0) flag.set(request);
        return 0;
    }
    return invalid(
        error, fmt::format("Rotate has no option {}", option.substr(0, option_bytes_shown_max)));
}

/// A call is kept until it is decided, so more options than Rotate has are an error.
int read_options(sd_bus_message* call, RotationRequest& request, sd_bus_error* error) {
    int result = sd_bus_message_enter_container(call, 'a', "{sv}");
    if (result < 0) return result;
    std::size_t count = 0;
    while ((result = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
        if (++count > options_max) return invalid(error, "an option of Rotate is given twice");
        result = read_option(call, request, error);
        if (result < 0) return result;
        result = sd_bus_message_exit_container(call);
        if (result < 0) return result;
    }
    if (result < 0) return result;
    if (!request.units.empty() && !request.moves_units()) {
        return invalid(error, "the option units needs adopt or release");
    }
    return sd_bus_message_exit_container(call);
}

/// Empty if the call can be carried out.
std::string problem_of(const FleetCall& call) {
    const auto known =
        std::ranges::find(fleet_commands, std::string_view(call.command),
                          [](const FleetCommandName& one) { return std::string_view(one.name); });
    if (known == fleet_commands.end()) return "Fleet has no such command";
    const std::string& argument = call.argument;
    if (argument.size() > fleet_argument_bytes_max || !is_one_line(argument)) {
        return "the argument must be one short line";
    }
    return "";
}

const char* conflict_of(Decision decision) {
    return decision == Decision::retry ? control_error::not_held : control_error::conflict;
}

int get_version(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*,
                sd_bus_error*) {
    return sd_bus_message_append(reply, "s", KEYTURN_VERSION);
}

}  // namespace

const sd_bus_vtable ManagerObject::vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Tunnels", "ao", get_tunnels, 0, 0),
    SD_BUS_METHOD_WITH_NAMES("ListTunnels", "", , "a(so)", SD_BUS_PARAM(tunnels), on_list_tunnels,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(plan_method, "u", SD_BUS_PARAM(count), PlansType::signature.text,
                             SD_BUS_PARAM(tunnels), on_plan, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(rotate_method.name, "sa{sv}",
                             SD_BUS_PARAM(tunnel) SD_BUS_PARAM(options), "", , on_rotate,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(retry_method.name, "s", SD_BUS_PARAM(tunnel), "", ,
                             on_decision<Decision::retry>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(pause_method.name, "s", SD_BUS_PARAM(tunnel), "", ,
                             on_decision<Decision::pause>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(resume_method.name, "s", SD_BUS_PARAM(tunnel), "", ,
                             on_decision<Decision::resume>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(revert_method.name, "s", SD_BUS_PARAM(tunnel), "", ,
                             on_decision<Decision::revert>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(fleet_method.name, "sss",
                             SD_BUS_PARAM(tunnel) SD_BUS_PARAM(command) SD_BUS_PARAM(argument), "s",
                             SD_BUS_PARAM(told), on_fleet, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES(fleet_status_method, "s", SD_BUS_PARAM(tunnel), "s",
                             SD_BUS_PARAM(lines), on_fleet_status, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};

int ManagerObject::install(sd_bus* bus) {
    sd_bus_slot* object = nullptr;
    sd_bus_slot* object_manager = nullptr;
    int result =
        sd_bus_add_object_vtable(bus, &object, control_path, manager_interface, vtable, this);
    slots_.emplace_back(object);
    if (result < 0) return result;
    // Adds GetManagedObjects, which returns the status of every tunnel in one answer.
    result = sd_bus_add_object_manager(bus, &object_manager, control_path);
    slots_.emplace_back(object_manager);
    return result < 0 ? result : 0;
}

int ManagerObject::get_tunnels(sd_bus*, const char*, const char*, const char*,
                               sd_bus_message* reply, void* self, sd_bus_error*) {
    int result = sd_bus_message_open_container(reply, 'a', "o");
    for (const std::string& tunnel : static_cast<ManagerObject*>(self)->handlers_.tunnels()) {
        if (result < 0) return result;
        result = sd_bus_message_append(reply, "o", tunnel_path(tunnel).c_str());
    }
    return result < 0 ? result : sd_bus_message_close_container(reply);
}

int ManagerObject::on_list_tunnels(sd_bus_message* call, void* self, sd_bus_error*) {
    sd_bus_message* raw = nullptr;
    int result = sd_bus_message_new_method_return(call, &raw);
    const Message reply(raw);
    if (result >= 0) result = sd_bus_message_open_container(raw, 'a', "(so)");
    for (const std::string& tunnel : static_cast<ManagerObject*>(self)->handlers_.tunnels()) {
        if (result < 0) return result;
        result = sd_bus_message_append(raw, "(so)", bus_text(tunnel).c_str(),
                                       tunnel_path(tunnel).c_str());
    }
    if (result >= 0) result = sd_bus_message_close_container(raw);
    return result < 0 ? result : sd_bus_send(sd_bus_message_get_bus(call), raw, nullptr);
}

int ManagerObject::on_plan(sd_bus_message* call, void* self, sd_bus_error* error) {
    std::uint32_t count = 0;
    if (const int result = sd_bus_message_read(call, "u", &count); result < 0) return result;
    if (count < 1 || count > planned_starts_max) {
        return invalid(error, fmt::format("the count must be 1 to {}", planned_starts_max));
    }
    sd_bus_message* raw = nullptr;
    int result = sd_bus_message_new_method_return(call, &raw);
    const Message reply(raw);
    if (result >= 0) {
        result = PlansType::append(raw, static_cast<ManagerObject*>(self)->handlers_.plan(count));
    }
    return result < 0 ? result : sd_bus_send(sd_bus_message_get_bus(call), raw, nullptr);
}

int ManagerObject::on_rotate(sd_bus_message* call, void* self, sd_bus_error* error) {
    auto& manager = *static_cast<ManagerObject*>(self);
    const char* tunnel = nullptr;
    RotationRequest request;
    if (const int result = sd_bus_message_read(call, "s", &tunnel); result < 0) return result;
    if (const int result = read_options(call, request, error); result < 0) return result;
    const std::string name = tunnel;
    Act act = [&manager, name, request] { return manager.handlers_.rotate(name, request); };
    return manager.act_if_allowed(call, rotate_method.polkit_action, control_error::already_open,
                                  name, std::move(act), error);
}

template <Decision decision>
int ManagerObject::on_decision(sd_bus_message* call, void* self, sd_bus_error* error) {
    auto& manager = *static_cast<ManagerObject*>(self);
    const char* tunnel = nullptr;
    if (const int result = sd_bus_message_read(call, "s", &tunnel); result < 0) return result;
    const std::string name = tunnel;
    Act act = [&manager, name] { return manager.handlers_.decide(name, decision); };
    return manager.act_if_allowed(call, method_of(decision).polkit_action, conflict_of(decision),
                                  name, std::move(act), error);
}

int ManagerObject::act_if_allowed(sd_bus_message* call, const char* action,
                                  const char* conflict_name, const std::string& tunnel, Act act,
                                  sd_bus_error* error) {
    Perform perform = [act = std::move(act), conflict_name](sd_bus_message* asked) {
        reply_with(asked, act(), conflict_name);
    };
    return perform_if_allowed(call, action, tunnel, std::move(perform), error);
}

/// Returns 1, which means that the reply comes later. Refuses an unknown tunnel at once, before a
/// person has to type a password. That reveals nothing: every user can list the names.
int ManagerObject::perform_if_allowed(sd_bus_message* call, const char* action,
                                      const std::string& tunnel, Perform perform,
                                      sd_bus_error* error) {
    if (snapshot_.find(sd_bus_message_get_bus(call), tunnel) == nullptr) {
        return sd_bus_error_setf(error, control_error::no_such_tunnel,
                                 "the policy has no tunnel named %s", tunnel.c_str());
    }
    const auto decide = [perform = std::move(perform)](sd_bus_message* asked,
                                                       const Denial* denial) {
        if (denial == nullptr) return perform(asked);
        sd_bus_reply_method_errorf(asked, denial->error_name, "%s", bus_text(denial->text).c_str());
    };
    authorization_.ask(call, action, tunnel, decide);
    return 1;
}

int ManagerObject::on_fleet(sd_bus_message* call, void* self, sd_bus_error* error) {
    auto& manager = *static_cast<ManagerObject*>(self);
    const char* tunnel = nullptr;
    const char* command = nullptr;
    const char* argument = nullptr;
    const int result = sd_bus_message_read(call, "sss", &tunnel, &command, &argument);
    if (result < 0) return result;
    const FleetCall wanted{command, argument};
    if (const std::string problem = problem_of(wanted); !problem.empty()) {
        return invalid(error, problem);
    }
    const std::string name = tunnel;
    Perform perform = [&manager, name, wanted](sd_bus_message* asked) {
        const auto kept = std::make_shared<Message>(sd_bus_message_ref(asked));
        manager.handlers_.fleet(name, wanted, [kept](const Result<std::string>& told) {
            if (told) {
                sd_bus_reply_method_return(kept->get(), "s", bus_text(*told).c_str());
            } else {
                reply_with(kept->get(), Result<void>(told.error()), control_error::conflict);
            }
        });
    };
    return manager.perform_if_allowed(call, fleet_method.polkit_action, name, std::move(perform),
                                      error);
}

int ManagerObject::on_fleet_status(sd_bus_message* call, void* self, sd_bus_error* error) {
    auto& manager = *static_cast<ManagerObject*>(self);
    const char* tunnel = nullptr;
    if (const int result = sd_bus_message_read(call, "s", &tunnel); result < 0) return result;
    const Result<std::string> text = manager.handlers_.fleet_status(tunnel);
    if (text) return sd_bus_reply_method_return(call, "s", bus_text(*text).c_str());
    return sd_bus_error_set(error, error_name_of(text.error().fault, control_error::conflict),
                            bus_text(text.error().text).c_str());
}

}  // namespace keyturn
