#include "watch.hpp"

#include "wire/names.hpp"
#include "wire/status_message.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <utility>

namespace keyturn {
namespace {

constexpr std::chrono::microseconds answer_deadline = std::chrono::seconds{5};
/// Any user of the bus can send us any number of signals. These limits are the pause between two
/// questions that signals cause, and the number of messages read before other work.
constexpr std::chrono::milliseconds question_pause{50};
constexpr int messages_at_once = 256;
constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

struct SlotDeleter {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using SlotHandle = std::unique_ptr<sd_bus_slot, SlotDeleter>;

}  // namespace

class Watch::Impl {
  public:
    Impl(Client client, const std::string& tunnel, Sightings sightings)
        : client_(std::move(client)),
          all_(tunnel.empty()),
          path_(all_ ? control_path : tunnel_path(tunnel)),
          sightings_(std::move(sightings)) {}

    int add_matches() {
        const std::string owner = fmt::format(
            "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}'",
            control_name);
        const std::string changed = fmt::format(
            "type='signal',sender='{}',interface='{}',member='PropertiesChanged',{}='{}'",
            control_name, properties_interface, all_ ? "path_namespace" : "path", path_);
        sd_bus_slot* raw = nullptr;
        int result = sd_bus_add_match(bus(), &raw, changed.c_str(), on_hint, this);
        changed_match_.reset(raw);
        if (result < 0) return result;
        raw = nullptr;
        result = sd_bus_add_match(bus(), &raw, owner.c_str(), on_hint, this);
        owner_match_.reset(raw);
        return result;
    }

    void ask() {
        if (answer_) return;
        hinted_ = false;
        next_question_ = Steady::now() + question_pause;
        sd_bus_message* raw = nullptr;
        int result = sd_bus_message_new_method_call(
            bus(), &raw, control_name, path_.c_str(),
            all_ ? "org.freedesktop.DBus.ObjectManager" : properties_interface,
            all_ ? "GetManagedObjects" : "GetAll");
        const std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)> call(
            raw, &sd_bus_message_unref);
        if (result >= 0 && !all_) result = sd_bus_message_append(raw, "s", tunnel_interface);
        if (result < 0) return;
        sd_bus_message_set_auto_start(raw, 0);
        sd_bus_slot* slot = nullptr;
        sd_bus_call_async(bus(), &slot, raw, on_answer, this,
                          static_cast<std::uint64_t>(answer_deadline.count()));
        answer_.reset(slot);
    }

    bool process() {
        int result = 1;
        for (int read = 0; read < messages_at_once && result > 0; ++read) {
            result = sd_bus_process(bus(), nullptr);
        }
        if (result < 0) sightings_.lost();
        if (result >= 0 && Steady::now() >= next_question()) ask();
        return result >= 0;
    }

    Steady::time_point next_question() const {
        return hinted_ && !answer_ ? next_question_ : Steady::time_point::max();
    }

    Client& client() { return client_; }

  private:
    sd_bus* bus() const { return client_.bus(); }

    /// Handles a signal about a change or a new owner of the name. Neither sd-bus nor the bus
    /// checks the sender of a signal to us alone, so we trust nothing in it.
    static int on_hint(sd_bus_message*, void* self, sd_bus_error*) {
        static_cast<Impl*>(self)->hinted_ = true;
        return 0;
    }

    static int on_answer(sd_bus_message* reply, void* self, sd_bus_error*) {
        auto& watch = *static_cast<Impl*>(self);
        watch.answer_.reset();
        const sd_bus_error* error = sd_bus_message_get_error(reply);
        if (error == nullptr) {
            watch.read(reply);
        } else if (says_not_running(*error)) {
            watch.sightings_.lost();
        } else if (!watch.all_ && sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) > 0) {
            watch.sightings_.saw({});
        }
        // After any other error, such as a timeout, the next tick asks again.
        return 0;
    }

    void read(sd_bus_message* message) {
        std::vector<TunnelStatus> tunnels(all_ ? 0 : 1);
        const int result = all_ ? read_managed_objects(message, tunnels)
                                : read_properties(message, tunnels.front());
        if (result >= 0) sightings_.saw(tunnels);
    }

    Client client_;
    bool all_;
    std::string path_;
    Sightings sightings_;
    SlotHandle changed_match_;
    SlotHandle owner_match_;
    SlotHandle answer_;
    bool hinted_ = false;  ///< A signal came since the last question.
    Steady::time_point next_question_;
};

Watch::Watch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Watch::~Watch() = default;

Result<std::unique_ptr<Watch>> Watch::start(Client client, const std::string& tunnel,
                                            Sightings sightings) {
    auto impl = std::make_unique<Impl>(std::move(client), tunnel, std::move(sightings));
    const int result = impl->add_matches();
    if (result < 0) return errno_error(-result, "cannot follow the signals of keyturnd");
    return std::unique_ptr<Watch>(new Watch(std::move(impl)));
}

void Watch::ask() {
    impl_->ask();
}

bool Watch::process() {
    return impl_->process();
}

Client& Watch::client() {
    return impl_->client();
}

Steady::time_point Watch::next_question() const {
    return impl_->next_question();
}

}  // namespace keyturn
