#include "units/unit_properties.hpp"

#include "units/redaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace keyturn {

namespace {

/// The size of an InvocationID in bytes.
constexpr std::size_t invocation_bytes = 16;

/// Reads the value of one property, inside its variant. Returns false if it is not of the expected
/// type.
using Read = bool (*)(sd_bus_message*, UnitProperties&);

struct Property {
    std::string_view name;
    std::string_view signature;
    Read read;
};

bool read_text(sd_bus_message* message, std::string& text) {
    const char* value = nullptr;
    if (sd_bus_message_read_basic(message, 's', &value) <= 0) return false;
    text = value;
    return true;
}

template <auto member>
bool state_text(sd_bus_message* message, UnitProperties& into) {
    return read_text(message, into.state.*member);
}

bool read_texts(sd_bus_message* message, std::vector<std::string>& texts) {
    if (sd_bus_message_enter_container(message, 'a', "s") < 0) return false;
    const char* value = nullptr;
    int status = 0;
    while ((status = sd_bus_message_read_basic(message, 's', &value)) > 0)
        texts.emplace_back(value);
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

template <auto member>
bool setting_texts(sd_bus_message* message, UnitProperties& into) {
    return read_texts(message, into.settings.*member);
}

/// Several properties append to this list.
bool propagation(sd_bus_message* message, UnitProperties& into) {
    return read_texts(message, into.propagates_to);
}

bool environment(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "s") < 0) return false;
    const char* value = nullptr;
    int status = 0;
    while ((status = sd_bus_message_read_basic(message, 's', &value)) > 0) {
        into.settings.environment.push_back(cut_environment(value));
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

bool invocation(sd_bus_message* message, UnitProperties& into) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (sd_bus_message_read_array(message, 'y', &bytes, &size) < 0) return false;
    if (size != invocation_bytes) return true;  // Not started yet, or an ID of unknown format.
    const std::span digits(static_cast<const std::uint8_t*>(bytes), size);
    into.state.invocation = fmt::format("{:02x}", fmt::join(digits, ""));
    return true;
}

bool main_pid(sd_bus_message* message, UnitProperties& into) {
    return sd_bus_message_read_basic(message, 'u', &into.state.main_pid) > 0;
}

bool control_group_id(sd_bus_message* message, UnitProperties& into) {
    return sd_bus_message_read_basic(message, 't', &into.state.control_group_id) > 0;
}

bool job(sd_bus_message* message, UnitProperties& into) {
    std::uint32_t id = 0;
    const char* path = nullptr;
    if (sd_bus_message_read(message, "(uo)", &id, &path) <= 0) return false;
    into.state.job_pending = id != 0;
    into.job_path = path;
    return true;
}

bool need_daemon_reload(sd_bus_message* message, UnitProperties& into) {
    int value = 0;
    if (sd_bus_message_read_basic(message, 'b', &value) <= 0) return false;
    into.settings.need_daemon_reload = value != 0;
    return true;
}

/// Rounds up. systemd's infinity becomes zero.
template <auto member>
bool timeout(sd_bus_message* message, UnitProperties& into) {
    std::uint64_t microseconds = 0;
    if (sd_bus_message_read_basic(message, 't', &microseconds) <= 0) return false;
    const bool infinite = microseconds > static_cast<std::uint64_t>(INT64_MAX);
    const std::chrono::microseconds value(infinite ? 0 : static_cast<std::int64_t>(microseconds));
    into.settings.*member = std::chrono::ceil<Milliseconds>(value);
    return true;
}

bool read_arguments(sd_bus_message* message, std::vector<std::string>& arguments) {
    if (sd_bus_message_enter_container(message, 'a', "s") < 0) return false;
    ArgumentCut cut;
    const char* value = nullptr;
    int status = 0;
    while ((status = sd_bus_message_read_basic(message, 's', &value)) > 0) {
        arguments.push_back(cut.next(value));
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

/// The arguments of one command. Its name is replaced by the path that is really executed; the two
/// differ if ExecStart= has the prefix "@".
bool read_command(sd_bus_message* message, std::vector<std::vector<std::string>>& commands) {
    std::string path;
    std::vector<std::string> arguments;
    if (!read_text(message, path) || !read_arguments(message, arguments)) return false;
    if (sd_bus_message_skip(message, "bttttuii") < 0) return false;
    if (arguments.empty()) arguments.emplace_back();
    arguments.front() = path;
    commands.push_back(std::move(arguments));
    return true;
}

bool read_commands(sd_bus_message* message, std::vector<std::vector<std::string>>& commands) {
    if (sd_bus_message_enter_container(message, 'a', "(sasbttttuii)") < 0) return false;
    int status = 0;
    while ((status = sd_bus_message_enter_container(message, 'r', "sasbttttuii")) > 0) {
        if (!read_command(message, commands)) return false;
        if (sd_bus_message_exit_container(message) < 0) return false;
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

bool exec_start(sd_bus_message* message, UnitProperties& into) {
    return read_commands(message, into.settings.exec_start);
}

bool environment_files(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "(sb)") < 0) return false;
    const char* path = nullptr;
    int optional = 0;
    int status = 0;
    while ((status = sd_bus_message_read(message, "(sb)", &path, &optional)) > 0) {
        into.settings.environment_files.push_back((optional != 0 ? "-" : "") + std::string(path));
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

template <auto member>
bool load_credential(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "(ss)") < 0) return false;
    const char* name = nullptr;
    const char* path = nullptr;
    int status = 0;
    while ((status = sd_bus_message_read(message, "(ss)", &name, &path)) > 0) {
        (into.settings.*member).push_back({name, path});
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

bool set_credential(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "(say)") < 0) return false;
    const char* name = nullptr;
    int status = 0;
    while ((status = sd_bus_message_enter_container(message, 'r', "say")) > 0) {
        if (sd_bus_message_read_basic(message, 's', &name) <= 0) return false;
        into.settings.set_credentials.emplace_back(name);
        if (sd_bus_message_skip(message, "ay") < 0) return false;
        if (sd_bus_message_exit_container(message) < 0) return false;
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

bool conditions(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "(sbbsi)") < 0) return false;
    const char* type = nullptr;
    const char* parameter = nullptr;
    int trigger = 0;
    int negate = 0;
    int state = 0;
    int status = 0;
    while ((status = sd_bus_message_read(message, "(sbbsi)", &type, &trigger, &negate, &parameter,
                                         &state)) > 0) {
        into.settings.conditions.push_back({type, trigger != 0, negate != 0, parameter});
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

struct SettingName {
    const char* text;
};
constexpr SettingName bind_paths{"BindPaths"};
constexpr SettingName bind_read_only{"BindReadOnlyPaths"};
constexpr SettingName read_only{"ReadOnlyPaths"};
constexpr SettingName read_write{"ReadWritePaths"};
constexpr SettingName start_pre{"ExecStartPre"};
constexpr SettingName condition{"ExecCondition"};

template <const SettingName& setting>
bool needed_mounts(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "(ssbt)") < 0) return false;
    const char* source = nullptr;
    const char* target = nullptr;
    int ignore_missing = 0;
    std::uint64_t flags = 0;
    int status = 0;
    while ((status = sd_bus_message_read(message, "(ssbt)", &source, &target, &ignore_missing,
                                         &flags)) > 0) {
        if (ignore_missing == 0) into.settings.needs.emplace_back(setting.text, source);
    }
    return status == 0 && sd_bus_message_exit_container(message) >= 0;
}

template <const SettingName& setting>
bool needed_paths(sd_bus_message* message, UnitProperties& into) {
    std::vector<std::string> paths;
    if (!read_texts(message, paths)) return false;
    for (std::string& path : paths) {
        if (!path.starts_with('-')) into.settings.needs.emplace_back(setting.text, std::move(path));
    }
    return true;
}

template <const SettingName& setting>
bool needed_commands(sd_bus_message* message, UnitProperties& into) {
    std::vector<std::vector<std::string>> commands;
    if (!read_commands(message, commands)) return false;
    for (const std::vector<std::string>& command : commands)
        into.settings.needs.emplace_back(setting.text, fmt::format("{}", fmt::join(command, " ")));
    return true;
}

bool dynamic_user(sd_bus_message* message, UnitProperties& into) {
    int value = 0;
    if (sd_bus_message_read_basic(message, 'b', &value) <= 0) return false;
    into.settings.dynamic_user = value != 0;
    return true;
}

template <auto member>
bool setting_text(sd_bus_message* message, UnitProperties& into) {
    return read_text(message, into.settings.*member);
}

/// Puts the unit file before its drop-ins, in whatever order systemd reports them.
bool fragment_path(sd_bus_message* message, UnitProperties& into) {
    const char* path = nullptr;
    if (sd_bus_message_read_basic(message, 's', &path) < 0) return false;
    if (*path != '\0') into.settings.files.insert(into.settings.files.begin(), path);
    return true;
}

/// The last five are the dependencies along which systemd passes on a stop or a restart
/// (UNIT_ATOM_PROPAGATE_STOP in its sources).
constexpr std::array properties{
    Property{"Names", "as", setting_texts<&UnitSettings::names>},
    Property{"LoadState", "s", state_text<&UnitState::load_state>},
    Property{"ActiveState", "s", state_text<&UnitState::active_state>},
    Property{"SubState", "s", state_text<&UnitState::sub_state>},
    Property{"Result", "s", state_text<&UnitState::result>},
    Property{"InvocationID", "ay", invocation},
    Property{"MainPID", "u", main_pid},
    Property{"ControlGroupId", "t", control_group_id},
    Property{"Job", "(uo)", job},
    Property{"NeedDaemonReload", "b", need_daemon_reload},
    Property{"TimeoutStartUSec", "t", timeout<&UnitSettings::start_timeout>},
    Property{"TimeoutStopUSec", "t", timeout<&UnitSettings::stop_timeout>},
    Property{"ExecStart", "a(sasbttttuii)", exec_start},
    Property{"Environment", "as", environment},
    Property{"EnvironmentFiles", "a(sb)", environment_files},
    Property{"PassEnvironment", "as", setting_texts<&UnitSettings::pass_environment>},
    Property{"UnsetEnvironment", "as", setting_texts<&UnitSettings::unset_environment>},
    Property{"LoadCredential", "a(ss)", load_credential<&UnitSettings::load_credentials>},
    Property{"LoadCredentialEncrypted", "a(ss)",
             load_credential<&UnitSettings::encrypted_credentials>},
    Property{"SetCredential", "a(say)", set_credential},
    Property{"SetCredentialEncrypted", "a(say)", set_credential},
    Property{"Conditions", "a(sbbsi)", conditions},
    Property{"Asserts", "a(sbbsi)", conditions},
    Property{"BindPaths", "a(ssbt)", needed_mounts<bind_paths>},
    Property{"BindReadOnlyPaths", "a(ssbt)", needed_mounts<bind_read_only>},
    Property{"ReadOnlyPaths", "as", needed_paths<read_only>},
    Property{"ReadWritePaths", "as", needed_paths<read_write>},
    Property{"ExecStartPre", "a(sasbttttuii)", needed_commands<start_pre>},
    Property{"ExecCondition", "a(sasbttttuii)", needed_commands<condition>},
    Property{"User", "s", setting_text<&UnitSettings::user>},
    Property{"DynamicUser", "b", dynamic_user},
    Property{"ProtectHome", "s", setting_text<&UnitSettings::protect_home>},
    Property{"FragmentPath", "s", fragment_path},
    Property{"DropInPaths", "as", setting_texts<&UnitSettings::files>},
    Property{"RequiredBy", "as", propagation},
    Property{"RequisiteOf", "as", propagation},
    Property{"BoundBy", "as", propagation},
    Property{"ConsistsOf", "as", propagation},
    Property{"PropagatesStopTo", "as", propagation},
};

const Property* find_property(std::string_view name) {
    const auto* const found = std::find_if(properties.begin(), properties.end(),
                                           [&](const Property& p) { return p.name == name; });
    return found == properties.end() ? nullptr : found;
}

/// Reads one entry of the dictionary. Returns false if the message is broken.
bool read_entry(sd_bus_message* message, UnitProperties& into) {
    const char* name = nullptr;
    if (sd_bus_message_read_basic(message, 's', &name) <= 0) return false;
    const Property* property = find_property(name);
    if (property == nullptr) return sd_bus_message_skip(message, "v") >= 0;
    char type = 0;
    const char* signature = nullptr;
    if (sd_bus_message_peek_type(message, &type, &signature) <= 0 || type != 'v') return false;
    if (property->signature != signature) return sd_bus_message_skip(message, "v") >= 0;
    return sd_bus_message_enter_container(message, 'v', signature) > 0 &&
           property->read(message, into) && sd_bus_message_exit_container(message) >= 0;
}

bool read_dictionary(sd_bus_message* message, UnitProperties& into) {
    if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return false;
    int status = 0;
    while ((status = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        if (!read_entry(message, into) || sd_bus_message_exit_container(message) < 0) return false;
    }
    return status == 0;
}

}  // namespace

Result<std::vector<std::string>> read_manager_environment(sd_bus_message* reply) {
    sd_bus_message_sensitive(reply);
    UnitProperties properties_of_manager;
    if (sd_bus_message_enter_container(reply, 'v', "as") <= 0 ||
        !environment(reply, properties_of_manager)) {
        return Error{Fault::invalid, "systemd's answer about its environment is not a list", {}};
    }
    return std::move(properties_of_manager.settings.environment);
}

Result<UnitProperties> read_unit_properties(sd_bus_message* reply, const std::string& unit) {
    // Wipe the message when it is freed: Environment or ExecStart may contain a token.
    sd_bus_message_sensitive(reply);
    UnitProperties properties_of_unit;
    properties_of_unit.state.name = unit;
    properties_of_unit.settings.name = unit;
    if (!read_dictionary(reply, properties_of_unit)) {
        return Error{Fault::invalid,
                     fmt::format("systemd's answer about {} is not a list of properties", unit)};
    }
    return properties_of_unit;
}

}  // namespace keyturn
