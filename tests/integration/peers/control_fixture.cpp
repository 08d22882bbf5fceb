#include "integration/peers/control_fixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <unistd.h>
#include <utility>

namespace keyturn::testing {
namespace {

constexpr BusBackoff quick{1ms, 20ms};

/// Far above anything that is waited for: a machine that has other things to do, a keyturnctl with
/// sanitizers in it.
constexpr auto guard = 60s;

TunnelStatus running_tunnel() {
    TunnelStatus tunnel;
    tunnel.name = "web";
    tunnel.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    tunnel.state = "idle";
    tunnel.last_outcome = "done";
    tunnel.fingerprint = "0123456789abcdef";
    tunnel.units = {{"cloudflared-web@a.service", "", 0, 4, ""}};
    tunnel.last_done = WallTime{1772332200123ms};
    return tunnel;
}

struct PendingAnswer {
    bool arrived = false;
    Answer answer;
};

int on_answer(sd_bus_message* reply, void* pending, sd_bus_error*) {
    auto& [arrived, answer] = *static_cast<PendingAnswer*>(pending);
    arrived = true;
    if (const sd_bus_error* error = sd_bus_message_get_error(reply); error != nullptr) {
        answer.error = error->name;
        answer.text = error->message;
    }
    answer.reply.reset(sd_bus_message_ref(reply));
    return 0;
}

}  // namespace

FakePolkit::FakePolkit(boost::asio::io_context& context, const DbusDaemon& daemon)
    : bus_(context, daemon.opener(0), quick) {
    bus_.on_connect([this](sd_bus* bus) {
        sd_bus_add_filter(bus, nullptr, on_message, this);
        sd_bus_request_name_async(bus, nullptr, "org.freedesktop.PolicyKit1", 0, on_name, this);
    });
    bus_.start();
}

void FakePolkit::answer(bool authorized) {
    sd_bus_reply_method_return(open_question_.get(), "(bba{ss})", authorized ? 1 : 0,
                               mood == Mood::challenge ? 1 : 0, 0);
    bus_.kick();
}

int FakePolkit::on_message(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& polkit = *static_cast<FakePolkit*>(self);
    if (sd_bus_message_is_method_call(message, nullptr, "CheckAuthorization") > 0) {
        polkit.on_question(message);
        return 1;
    }
    if (sd_bus_message_is_method_call(message, nullptr, "CancelCheckAuthorization") > 0) {
        polkit.asked.emplace_back("cancelled");
        return 1;
    }
    return 0;
}

int FakePolkit::on_name(sd_bus_message* reply, void* self, sd_bus_error*) {
    static_cast<FakePolkit*>(self)->owns_name = sd_bus_message_get_error(reply) == nullptr;
    return 0;
}

void FakePolkit::on_question(sd_bus_message* question) {
    const char* kind = nullptr;
    const char* key = nullptr;
    const char* subject = nullptr;
    const char* action = nullptr;
    const char* detail = nullptr;
    const char* tunnel = nullptr;
    const char* cancellation = nullptr;
    std::uint32_t flags = 0;
    ASSERT_GT(sd_bus_message_read(question, "(sa{sv})sa{ss}us", &kind, 1, &key, "s", &subject,
                                  &action, 1, &detail, &tunnel, &flags, &cancellation),
              0);
    EXPECT_STREQ(kind, "system-bus-name");
    EXPECT_STREQ(key, "name");
    EXPECT_EQ(subject[0], ':');
    EXPECT_STREQ(detail, "tunnel");
    EXPECT_STRNE(cancellation, "");
    asked.push_back(fmt::format("{} {} {}", action, tunnel, flags));
    open_question_.reset(sd_bus_message_ref(question));
    if (mood != Mood::silent) answer(mood == Mood::yes);
}

ControlTest::ControlTest()
    : tunnels_{running_tunnel()},
      service_bus_(context_, daemon_.opener(0), quick),
      root_(context_, daemon_.opener(0), quick),
      stranger_(context_, daemon_.opener(somebody), quick),
      service_(std::make_unique<ControlService>(service_bus_, handlers())) {}

void ControlTest::SetUp() {
    ASSERT_EQ(geteuid(), 0U) << "this test needs root, to be two users: start it by tests/run";
    service_bus_.start();
    root_.start();
    stranger_.start();
    ASSERT_TRUE(turn_until([&] { return root_.connected() && stranger_.connected(); }));
    ASSERT_TRUE(turn_until([&] { return name_is_owned(); }));
}

ControlHandlers ControlTest::handlers() {
    ControlHandlers handlers;
    handlers.tunnels = [this] {
        std::vector<std::string> names;
        for (const TunnelStatus& tunnel : tunnels_) names.push_back(tunnel.name);
        return names;
    };
    handlers.status = [this](const std::string& name) {
        ++times_asked_;
        const auto found = std::ranges::find(tunnels_, name, &TunnelStatus::name);
        return found == tunnels_.end() ? std::nullopt : std::optional(*found);
    };
    handlers.plan = [this](unsigned count) {
        std::vector<TunnelPlan> plans;
        for (const TunnelStatus& tunnel : tunnels_) {
            TunnelPlan& plan = plans.emplace_back();
            plan.name = tunnel.name;
            for (const UnitStatus& unit : tunnel.units) plan.units.push_back(unit.name);
            plan.batches = {1};
            plan.timezone = "Europe/Berlin";
            const WallTime due{1772332200s};
            plan.starts.assign(count - 1,
                               {due, due + 60s, due + 120s, "freeze", "a freeze (audit)"});
            plan.starts.push_back({due, std::nullopt, std::nullopt, "never", ""});
        }
        return plans;
    };
    handlers.rotate = [this](const std::string& tunnel, const RotationRequest& request) {
        requests_.push_back(request);
        done_.push_back(fmt::format("rotate {} '{}' {}{}{}", tunnel, request.trigger,
                                    request.accept_gap,
                                    request.kind == RotationKind::compromise ? " compromised" : "",
                                    request.evict_all ? " evict_all" : ""));
        return outcome_;
    };
    handlers.decide = [this](const std::string& tunnel, Decision decision) {
        constexpr std::array words{"retry", "pause", "resume", "revert"};
        done_.push_back(fmt::format("{} {}", words.at(static_cast<std::size_t>(decision)), tunnel));
        return outcome_;
    };
    handlers.reachable = [this] { ++times_reachable_; };
    handlers.report = [this](const std::string& sentence) { reports_.push_back(sentence); };
    return handlers;
}

bool ControlTest::turn_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + guard;
    context_.restart();
    while (!condition() && std::chrono::steady_clock::now() < end) context_.run_one_for(10ms);
    return condition();
}

Message ControlTest::new_call(Bus& client, const std::string& path, const char* interface,
                              const char* member) {
    sd_bus_message* raw = nullptr;
    EXPECT_GE(sd_bus_message_new_method_call(client.handle(), &raw, control_name, path.c_str(),
                                             interface, member),
              0);
    return Message(raw);
}

Answer ControlTest::call(Bus& client, const Message& message) {
    PendingAnswer pending;
    sd_bus_slot* raw = nullptr;
    EXPECT_GE(sd_bus_call_async(client.handle(), &raw, message.get(), on_answer, &pending, 0), 0);
    const Slot slot(raw);
    client.kick();
    EXPECT_TRUE(turn_until([&] { return pending.arrived; })) << "no answer";
    return std::move(pending.answer);
}

Answer ControlTest::rotate(Bus& client, const char* tunnel) {
    const Message message = new_call(client, control_path, manager_interface, "Rotate");
    EXPECT_GE(sd_bus_message_append(message.get(), "sa{sv}", tunnel, 2, "reason", "s", "why",
                                    "accept_gap", "b", 1),
              0);
    return call(client, message);
}

Answer ControlTest::retry(Bus& client, const char* tunnel) {
    const Message message = new_call(client, control_path, manager_interface, "Retry");
    EXPECT_GE(sd_bus_message_append(message.get(), "s", tunnel), 0);
    return call(client, message);
}

bool ControlTest::name_is_owned() {
    sd_bus_message* raw = nullptr;
    sd_bus_message_new_method_call(root_.handle(), &raw, "org.freedesktop.DBus",
                                   "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner");
    const Message message(raw);
    sd_bus_message_append(raw, "s", control_name);
    const Answer answer = call(root_, message);
    int owned = 0;
    sd_bus_message_read(answer.reply.get(), "b", &owned);
    return owned != 0;
}

}  // namespace keyturn::testing
