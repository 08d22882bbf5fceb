#include "watch.hpp"

#include "control/names.hpp"
#include "status_message.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

constexpr std::chrono::microseconds answer_deadline = std::chrono::seconds{5};
constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

struct SlotDeleter {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using SlotHandle = std::unique_ptr<sd_bus_slot, SlotDeleter>;

}  // namespace

class Watch::Impl {
  public:
    Impl(Client client, TunnelStatus before, Sightings sightings)
        : client_(std::move(client)), last_(std::move(before)), sightings_(std::move(sightings)) {}

    int add_matches() {
        const std::string owner = fmt::format(
            "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}'",
            control_name);
        const std::string path = tunnel_path(last_.name);
        sd_bus_slot* raw = nullptr;
        int result =
            sd_bus_match_signal(bus(), &raw, control_name, path.c_str(), properties_interface,
                                "PropertiesChanged", on_changed, this);
        changed_match_.reset(raw);
        if (result < 0) return result;
        raw = nullptr;
        result = sd_bus_add_match(bus(), &raw, owner.c_str(), on_owner, this);
        owner_match_.reset(raw);
        return result;
    }

    void ask() {
        if (answer_) return;
        sd_bus_message* raw = nullptr;
        int result = sd_bus_message_new_method_call(bus(), &raw, control_name,
                                                    tunnel_path(last_.name).c_str(),
                                                    properties_interface, "GetAll");
        const std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)> call(
            raw, &sd_bus_message_unref);
        if (result >= 0) result = sd_bus_message_append(raw, "s", tunnel_interface);
        if (result < 0) return;
        sd_bus_message_set_auto_start(raw, 0);
        sd_bus_slot* slot = nullptr;
        sd_bus_call_async(bus(), &slot, raw, on_answer, this,
                          static_cast<std::uint64_t>(answer_deadline.count()));
        answer_.reset(slot);
    }

    bool process() {
        int result = 0;
        do {
            result = sd_bus_process(bus(), nullptr);
        } while (result > 0);
        if (result < 0) sightings_.lost();
        return result >= 0;
    }

    Client& client() { return client_; }
    const TunnelStatus& last() const { return last_; }

  private:
    sd_bus* bus() const { return client_.bus(); }

    static int on_changed(sd_bus_message* signal, void* self, sd_bus_error*) {
        auto& watch = *static_cast<Impl*>(self);
        const char* interface = nullptr;
        if (sd_bus_message_read(signal, "s", &interface) < 0) return 0;
        if (std::string_view(interface) == tunnel_interface) watch.read(signal, false);
        return 0;
    }

    static int on_owner(sd_bus_message* signal, void* self, sd_bus_error*) {
        auto& watch = *static_cast<Impl*>(self);
        const char* name = nullptr;
        const char* old_owner = nullptr;
        const char* new_owner = nullptr;
        if (sd_bus_message_read(signal, "sss", &name, &old_owner, &new_owner) < 0) return 0;
        if (*new_owner == '\0') {
            watch.sightings_.lost();
        } else {
            watch.ask();
        }
        return 0;
    }

    static int on_answer(sd_bus_message* reply, void* self, sd_bus_error*) {
        auto& watch = *static_cast<Impl*>(self);
        watch.answer_.reset();
        const sd_bus_error* error = sd_bus_message_get_error(reply);
        if (error == nullptr) {
            watch.read(reply, true);
        } else if (says_not_running(*error)) {
            watch.sightings_.lost();
        } else if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) > 0) {
            watch.sightings_.left_out();
        }
        // Anything else, such as no answer in time: the next tick asks again.
        return 0;
    }

    void read(sd_bus_message* message, bool asked_for) {
        TunnelStatus next = last_;
        if (read_properties(message, next) < 0) return;
        last_ = next;
        sightings_.saw(next, asked_for);
    }

    Client client_;
    TunnelStatus last_;
    Sightings sightings_;
    SlotHandle changed_match_;
    SlotHandle owner_match_;
    SlotHandle answer_;
};

Watch::Watch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Watch::~Watch() = default;

Result<std::unique_ptr<Watch>> Watch::start(Client client, TunnelStatus before,
                                            Sightings sightings) {
    auto impl = std::make_unique<Impl>(std::move(client), std::move(before), std::move(sightings));
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

const TunnelStatus& Watch::last() const {
    return impl_->last();
}

}  // namespace keyturn
