#include "control/authorization.hpp"

#include "base/counted.hpp"
#include "bus/signal_listener.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

using std::chrono::microseconds;

/// The bus daemon answers from memory.
constexpr microseconds sender_deadline = std::chrono::seconds{5};
/// polkitd may have to be started first.
constexpr microseconds polkit_deadline = std::chrono::seconds{25};
/// A person has to find and type a password.
constexpr microseconds password_deadline = std::chrono::seconds{120};

// keyturnd keeps every call that waits for a decision, so these limits bound its memory. A caller
// beyond them is an attacker or a broken script. Root is not affected: the bus daemon confirms its
// uid at once, and polkit is not asked.
constexpr std::size_t calls_of_connection_max = 4;  ///< Calls without a decision, in any step.
constexpr std::size_t questions_of_user_max = 2;    ///< Open questions at polkit.
constexpr std::size_t questions_max = 64;           ///< Open questions at polkit, of all users.

constexpr const char* polkit_name = "org.freedesktop.PolicyKit1";
constexpr const char* polkit_path = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* polkit_interface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t allow_user_interaction = 1;

std::string describe(sd_bus_message* reply) {
    const sd_bus_error* error = sd_bus_message_get_error(reply);
    return fmt::format("{}: {}", error->name, error->message != nullptr ? error->message : "");
}

}  // namespace

/// One call that waits for a decision. The steps: ask the bus for the caller's uid, ask polkit,
/// then `conclude`, which destroys this object. It also ends when the caller leaves the bus.
class Authorization::Inquiry {
  public:
    Inquiry(Authorization& owner, sd_bus_message* call, const char* action, std::string tunnel,
            Decide decide)
        : owner_(owner),
          call_(sd_bus_message_ref(call)),
          sender_(sender_of(call)),
          action_(action),
          tunnel_(std::move(tunnel)),
          cancellation_id_(fmt::format("keyturn-{}", ++owner.asked_)),
          decide_(std::move(decide)) {}

    void start() {
        // A caller without a name is not on a bus, so nothing proves who it is.
        if (sender_.empty()) return deny("the bus does not know the caller");
        Message query = message("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                "org.freedesktop.DBus", "GetConnectionUnixUser");
        if (!query || sd_bus_message_append(query.get(), "s", sender_.c_str()) < 0) return fail();
        send(query.get(), handler<&Inquiry::user_known>, sender_deadline);
    }

    [[nodiscard]] const std::string& sender() const { return sender_; }
    [[nodiscard]] bool asks_polkit() const { return asks_polkit_; }
    [[nodiscard]] bool asks_polkit_for(std::uint32_t user) const {
        return asks_polkit() && user_ == user;
    }

  private:
    sd_bus* bus() const { return sd_bus_message_get_bus(call_.get()); }

    Message message(const char* name, const char* path, const char* interface,
                    const char* member) const {
        sd_bus_message* raw = nullptr;
        sd_bus_message_new_method_call(bus(), &raw, name, path, interface, member);
        return Message(raw);
    }

    void send(sd_bus_message* query, sd_bus_message_handler_t on_reply, microseconds deadline) {
        sd_bus_slot* raw = nullptr;
        const int sent = sd_bus_call_async(bus(), &raw, query, on_reply, this,
                                           static_cast<std::uint64_t>(deadline.count()));
        if (sent < 0) return fail();
        pending_reply_.reset(raw);
        owner_.bus_.kick();
    }

    template <void (Inquiry::*hear)(sd_bus_message*)>
    static int handler(sd_bus_message* heard, void* self, sd_bus_error*) {
        (static_cast<Inquiry*>(self)->*hear)(heard);
        return 0;
    }

    void user_known(sd_bus_message* reply) {
        if (sd_bus_message_is_method_error(reply, nullptr) != 0 ||
            sd_bus_message_read(reply, "u", &user_) < 0) {
            return deny("the bus does not say which user the caller is");
        }
        if (user_ == 0) return conclude(nullptr);
        if (const auto too_many = owner_.too_many_questions(user_)) return conclude(&*too_many);
        asks_polkit_ = true;
        departure_ = match_owner_changes(bus(), sender_, handler<&Inquiry::caller_changed>, this);
        ask_polkit();
    }

    /// Drops the call when the caller leaves the bus. If the caller left before this match existed,
    /// polkit notices it.
    void caller_changed(sd_bus_message* signal) {
        const char* owner = nullptr;
        if (!from_the_bus(signal)) return;
        if (sd_bus_message_read(signal, "sss", nullptr, nullptr, &owner) <= 0) return;
        if (!std::string_view(owner).empty()) return;
        close_dialog();
        Bus& bus = owner_.bus_;
        const auto gone = take_out();
        bus.kick();
    }

    bool may_ask_for_password() const {
        return sd_bus_message_get_allow_interactive_authorization(call_.get()) > 0;
    }

    void ask_polkit() {
        const std::uint32_t flags = may_ask_for_password() ? allow_user_interaction : 0;
        Message query = message(polkit_name, polkit_path, polkit_interface, "CheckAuthorization");
        if (!query || sd_bus_message_append(query.get(), "(sa{sv})sa{ss}us", "system-bus-name", 1,
                                            "name", "s", sender_.c_str(), action_, 1, "tunnel",
                                            tunnel_.c_str(), flags, cancellation_id_.c_str()) < 0) {
            return fail();
        }
        send(query.get(), handler<&Inquiry::polkit_answered>,
             flags != 0 ? password_deadline : polkit_deadline);
    }

    void polkit_answered(sd_bus_message* reply) {
        if (sd_bus_message_is_method_error(reply, nullptr) != 0) {
            close_dialog();
            return deny(fmt::format("only root may do this, because polkit could not be asked ({})",
                                    describe(reply)));
        }
        int authorized = 0;
        int challenge = 0;  // Needs a password, and the call may let polkit ask for none.
        if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") <= 0 ||
            sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0) {
            return deny("keyturnd cannot read polkit's answer");
        }
        if (authorized != 0) return conclude(nullptr);
        if (challenge != 0 && !may_ask_for_password()) {
            const Denial denial{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                fmt::format("polkit requires a password for {}, but the call does "
                                            "not allow polkit to ask for one",
                                            action_)};
            return conclude(&denial);
        }
        deny(fmt::format("polkit does not allow {} to this user", action_));
    }

    /// Without this, polkit would still ask for the password after our deadline, when it no longer
    /// matters.
    void close_dialog() {
        Message cancel =
            message(polkit_name, polkit_path, polkit_interface, "CancelCheckAuthorization");
        if (!cancel || sd_bus_message_append(cancel.get(), "s", cancellation_id_.c_str()) < 0)
            return;
        sd_bus_message_set_auto_start(cancel.get(), 0);
        sd_bus_send(bus(), cancel.get(), nullptr);
    }

    void deny(std::string text) {
        const Denial denial{SD_BUS_ERROR_ACCESS_DENIED, std::move(text)};
        conclude(&denial);
    }

    void fail() { deny("keyturnd cannot ask the bus which user the caller is"); }

    /// Moves this object out of the owner's list. It is destroyed together with the returned list.
    std::list<std::unique_ptr<Inquiry>> take_out() {
        std::list<std::unique_ptr<Inquiry>> ended;
        const auto self = std::ranges::find(owner_.open_, this, &std::unique_ptr<Inquiry>::get);
        ended.splice(ended.begin(), owner_.open_, self);
        return ended;
    }

    /// Leaves the list first, because `decide_` may start another inquiry or end the service.
    void conclude(const Denial* denial) {
        Bus& bus = owner_.bus_;
        const auto ended = take_out();
        decide_(call_.get(), denial);
        bus.kick();
    }

    Authorization& owner_;
    Message call_;
    std::string sender_;  ///< Empty if the caller is not on a bus.
    const char* action_;
    std::string tunnel_;
    std::string cancellation_id_;
    Decide decide_;
    std::uint32_t user_ = 0;
    bool asks_polkit_ = false;
    Slot pending_reply_;
    Slot departure_;  ///< Notices when the caller leaves the bus while polkit is asked.
};

Authorization::Authorization(Bus& bus) : bus_(bus) {}

Authorization::~Authorization() = default;

void Authorization::ask(sd_bus_message* call, const char* action, const std::string& tunnel,
                        Decide decide) {
    const std::string_view sender = sender_of(call);
    const auto waiting = std::ranges::count_if(
        open_, [&](const auto& open) { return !sender.empty() && open->sender() == sender; });
    if (static_cast<std::size_t>(waiting) >= calls_of_connection_max) {
        const Denial denial{SD_BUS_ERROR_LIMITS_EXCEEDED,
                            fmt::format("{} calls of this connection already wait for "
                                        "authorization; wait for their replies",
                                        calls_of_connection_max)};
        return decide(call, &denial);
    }
    open_.push_back(std::make_unique<Inquiry>(*this, call, action, tunnel, std::move(decide)));
    open_.back()->start();
}

std::optional<Denial> Authorization::too_many_questions(std::uint32_t user) const {
    const auto of_user =
        std::ranges::count_if(open_, [&](const auto& open) { return open->asks_polkit_for(user); });
    const auto of_all =
        std::ranges::count_if(open_, [](const auto& open) { return open->asks_polkit(); });
    if (static_cast<std::size_t>(of_user) < questions_of_user_max &&
        static_cast<std::size_t>(of_all) < questions_max) {
        return std::nullopt;
    }
    return Denial{SD_BUS_ERROR_LIMITS_EXCEEDED,
                  fmt::format("polkit is already being asked about {} of this user; answer "
                              "the password prompt, end those calls, or call as root",
                              counted(of_user, "call"))};
}

void Authorization::forget() {
    open_.clear();
}

}  // namespace keyturn
