#include "integration/units/fake_systemd.hpp"

#include <cstdlib>

namespace keyturn::testing {

namespace {

constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr const char* unit_prefix = "/org/freedesktop/systemd1/unit";

std::string unit_of(sd_bus_message* call) {
    char* name = nullptr;
    if (sd_bus_path_decode(sd_bus_message_get_path(call), unit_prefix, &name) <= 0) return "";
    std::string unit = name;
    std::free(name);
    return unit;
}

/// The strings that a call begins with, and rewinds it.
std::string described(sd_bus_message* call) {
    std::string text = sd_bus_message_get_member(call);
    const std::string unit = unit_of(call);
    if (!unit.empty()) text += " " + unit;
    const char* argument = nullptr;
    while (std::string_view(sd_bus_message_get_signature(call, 1)).starts_with("s") &&
           sd_bus_message_read_basic(call, 's', &argument) > 0)
        if (*argument != '\0') text += std::string(" ") + argument;
    sd_bus_message_rewind(call, 1);
    return text;
}

Message reply_to(sd_bus_message* call) {
    sd_bus_message* raw = nullptr;
    EXPECT_GE(sd_bus_message_new_method_return(call, &raw), 0);
    return Message(raw);
}

}  // namespace

FakeSystemd::FakeSystemd(PrivateBus& bus) : bus_(bus) {
    bus.set_up_peer = [this](sd_bus* peer) {
        EXPECT_GE(sd_bus_add_filter(peer, nullptr, on_message, this), 0);
    };
}

FakeSystemd::Value FakeSystemd::text(std::string value) {
    return [value = std::move(value)](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "s", value.c_str()), 0);
    };
}

FakeSystemd::Value FakeSystemd::number32(std::uint32_t value) {
    return [value](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "u", value), 0);
    };
}

FakeSystemd::Value FakeSystemd::number64(std::uint64_t value) {
    return [value](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "t", value), 0);
    };
}

FakeSystemd::Value FakeSystemd::flag(bool value) {
    return [value](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "b", static_cast<int>(value)), 0);
    };
}

FakeSystemd::Value FakeSystemd::texts(std::vector<std::string> values) {
    return [values = std::move(values)](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_open_container(message, 'v', "as"), 0);
        EXPECT_GE(sd_bus_message_open_container(message, 'a', "s"), 0);
        for (const std::string& value : values)
            EXPECT_GE(sd_bus_message_append(message, "s", value.c_str()), 0);
        EXPECT_GE(sd_bus_message_close_container(message), 0);
        EXPECT_GE(sd_bus_message_close_container(message), 0);
    };
}

FakeSystemd::Value FakeSystemd::bytes(std::vector<std::uint8_t> values) {
    return [values = std::move(values)](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_open_container(message, 'v', "ay"), 0);
        EXPECT_GE(sd_bus_message_append_array(message, 'y', values.data(), values.size()), 0);
        EXPECT_GE(sd_bus_message_close_container(message), 0);
    };
}

FakeSystemd::Value FakeSystemd::job(std::uint32_t id, std::string path) {
    return [id, path = std::move(path)](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "(uo)", id, path.c_str()), 0);
    };
}

FakeSystemd::Properties FakeSystemd::running(std::uint32_t pid) {
    return {{"LoadState", text("loaded")},
            {"ActiveState", text("active")},
            {"SubState", text("running")},
            {"Result", text("success")},
            {"InvocationID", bytes({0x0a, 0x1b, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff})},
            {"MainPID", number32(pid)},
            {"ControlGroupId", number64(99'999'999'999)},
            {"Job", job(0, "/")}};
}

void FakeSystemd::signal_job_removed(const std::string& path, const char* unit, const char* result,
                                     const char* sender) {
    sd_bus_message* raw = nullptr;
    ASSERT_GE(
        sd_bus_message_new_signal(bus_.peer(), &raw, manager_path, manager_interface, "JobRemoved"),
        0);
    const Message signal(raw);
    if (sender != nullptr) {
        ASSERT_GE(sd_bus_message_set_sender(raw, sender), 0);
    }
    ASSERT_GE(sd_bus_message_append(raw, "uoss", 1, path.c_str(), unit, result), 0);
    ASSERT_GE(sd_bus_send(bus_.peer(), raw, nullptr), 0);
    bus_.peers.back()->kick();
}

void FakeSystemd::signal_new_owner(const char* owner) {
    sd_bus_message* raw = nullptr;
    ASSERT_GE(sd_bus_message_new_signal(bus_.peer(), &raw, "/org/freedesktop/DBus",
                                        "org.freedesktop.DBus", "NameOwnerChanged"),
              0);
    const Message signal(raw);
    ASSERT_GE(sd_bus_message_set_sender(raw, "org.freedesktop.DBus"), 0);
    ASSERT_GE(sd_bus_message_append(raw, "sss", "org.freedesktop.systemd1", "", owner), 0);
    ASSERT_GE(sd_bus_send(bus_.peer(), raw, nullptr), 0);
    bus_.peers.back()->kick();
}

void FakeSystemd::fail(sd_bus_message* call, const char* name, const char* message) {
    EXPECT_GE(sd_bus_reply_method_errorf(call, name, "%s", message), 0);
}

void FakeSystemd::reply_job(sd_bus_message* call, const std::string& path) {
    EXPECT_GE(sd_bus_reply_method_return(call, "o", path.c_str()), 0);
}

int FakeSystemd::on_message(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    auto& systemd = *static_cast<FakeSystemd*>(self);
    if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) return 0;
    if (sd_bus_message_is_method_call(message, nullptr, "GetNameOwner") > 0) {
        return sd_bus_reply_method_return(message, "s", "org.freedesktop.systemd1");
    }
    systemd.calls.push_back(described(message));
    systemd.answer(message);
    return 1;
}

void FakeSystemd::answer(sd_bus_message* call) {
    const std::string member = sd_bus_message_get_member(call);
    if (const auto script = scripts.find(member); script != scripts.end()) {
        script->second(call);
    } else if (member == "GetAll") {
        answer_get_all(call);
    } else if (member == "Get") {
        // The only two that are asked for: of a unit its Id, of the manager its environment.
        unit_of(call).empty() ? answer_environment(call) : answer_id(call);
    } else if (member == "ListUnitsByPatterns") {
        answer_list(call);
    } else if (member == "ListUnitsByNames") {
        answer_list_by_name(call);
    } else if (member == "GetUnitByInvocationID") {
        answer_invocation(call);
    } else if (member == "TryRestartUnit" || member == "RestartUnit" || member == "StopUnit") {
        answer_job(call);
    } else {
        EXPECT_GE(sd_bus_reply_method_return(call, ""), 0);
    }
}

void FakeSystemd::answer_get_all(sd_bus_message* call) {
    const Message reply = reply_to(call);
    sd_bus_message* raw = reply.get();
    EXPECT_GE(sd_bus_message_open_container(raw, 'a', "{sv}"), 0);
    for (const auto& [name, value] : units[unit_of(call)]) {
        EXPECT_GE(sd_bus_message_open_container(raw, 'e', "sv"), 0);
        EXPECT_GE(sd_bus_message_append(raw, "s", name.c_str()), 0);
        value(raw);
        EXPECT_GE(sd_bus_message_close_container(raw), 0);
    }
    EXPECT_GE(sd_bus_message_close_container(raw), 0);
    EXPECT_GE(sd_bus_send(nullptr, raw, nullptr), 0);
}

void FakeSystemd::answer_environment(sd_bus_message* call) {
    const Message reply = reply_to(call);
    texts(environment)(reply.get());
    EXPECT_GE(sd_bus_send(nullptr, reply.get(), nullptr), 0);
}

void FakeSystemd::answer_id(sd_bus_message* call) {
    const std::string name = unit_of(call);
    const std::string id = aliases.contains(name) ? aliases.at(name) : name;
    EXPECT_GE(sd_bus_reply_method_return(call, "v", "s", id.c_str()), 0);
}

void FakeSystemd::answer_list(sd_bus_message* call) {
    EXPECT_GE(sd_bus_message_skip(call, "as"), 0);
    EXPECT_GE(sd_bus_message_enter_container(call, 'a', "s"), 0);
    const char* glob = nullptr;
    EXPECT_GT(sd_bus_message_read_basic(call, 's', &glob), 0);
    const Message reply = reply_to(call);
    EXPECT_GE(sd_bus_message_open_container(reply.get(), 'a', "(ssssssouso)"), 0);
    for (const auto& [name, load_state] : lists[glob]) {
        EXPECT_GE(
            sd_bus_message_append(reply.get(), "(ssssssouso)", name.c_str(), "description",
                                  load_state.c_str(), "active", "running", "", "/", 0, "", "/"),
            0);
    }
    EXPECT_GE(sd_bus_message_close_container(reply.get()), 0);
    EXPECT_GE(sd_bus_send(nullptr, reply.get(), nullptr), 0);
}

void FakeSystemd::answer_list_by_name(sd_bus_message* call) {
    EXPECT_GE(sd_bus_message_enter_container(call, 'a', "s"), 0);
    const char* name = nullptr;
    EXPECT_GT(sd_bus_message_read_basic(call, 's', &name), 0);
    const Message reply = reply_to(call);
    EXPECT_GE(sd_bus_message_open_container(reply.get(), 'a', "(ssssssouso)"), 0);
    if (const auto unit = listed.find(name); unit != listed.end()) {
        const Listed& one = unit->second;
        EXPECT_GE(sd_bus_message_append(reply.get(), "(ssssssouso)", name, "description",
                                        one.load_state.c_str(), one.active_state.c_str(),
                                        one.sub_state.c_str(), "", "/", one.job, "", "/"),
                  0);
    }
    EXPECT_GE(sd_bus_message_close_container(reply.get()), 0);
    EXPECT_GE(sd_bus_send(nullptr, reply.get(), nullptr), 0);
}

void FakeSystemd::answer_invocation(sd_bus_message* call) const {
    if (knows_the_invocation) {
        EXPECT_GE(sd_bus_reply_method_return(call, "o", "/org/freedesktop/systemd1/unit/x"), 0);
    } else {
        fail(call, "org.freedesktop.systemd1.NoUnitForInvocationID", "No unit with that ID");
    }
}

void FakeSystemd::answer_job(sd_bus_message* call) {
    const char* unit = nullptr;
    const char* mode = nullptr;
    EXPECT_GT(sd_bus_message_read(call, "ss", &unit, &mode), 0);
    if (std::string_view(mode) != "fail") {
        fail(call, "org.freedesktop.DBus.Error.InvalidArgs", "only valid for something else");
        return;
    }
    reply_job(call, next_job);
    signal_job_removed(next_job, unit, "done");
}

}  // namespace keyturn::testing
