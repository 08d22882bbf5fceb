#include "simulation/fleet/store_model.hpp"

#include "fakes/web_tunnel.hpp"
#include "fleet/document_text.hpp"
#include "simulation/fleet/host.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn::fleet_simulation {

void StoreModel::take(const Host* by, const std::string& text) {
    auto written = read_fleet_text(text, keys_, {tunnel_id, {}});
    if (!written) return world_.fail("a host has written what nobody can read");
    const FleetDocument before = std::exchange(document_, std::move(*written));
    text_ = text;
    ++version_;
    ++writes;
    if (on_write) on_write(by, before, document_);
}

void StoreModel::write_directly(FleetDocument document) {
    ++document.rev;
    document.nonce = fmt::format("{:016x}", world_.dice.roll());
    auto text = write_fleet_text(document, keys_);
    if (!text) return world_.fail("cannot write the object: " + text.error().text);
    take(nullptr, *text);
}

ObjectReading StoreModel::read(const ObjectVersion& known) const {
    ObjectReading reading;
    if (tampered_ && !shown_) return reading;
    reading.version = std::to_string(version_);
    reading.found = ObjectReading::Found::unchanged;
    if (known == reading.version) return reading;
    reading.found = ObjectReading::Found::present;
    reading.text = tampered_ ? *shown_ : text_;
    return reading;
}

Result<ObjectVersion> StoreModel::swap(const Host& by, const ObjectVersion& from,
                                       const std::string& text) {
    if (tampered_ && !shown_ && from.empty()) world_.fail("a host makes a new object by itself");
    const bool matches = from == std::to_string(version_) && !(tampered_ && !shown_);
    if (!matches) return Error{Fault::conflict, "the object has changed meanwhile", {}};
    if (tampered_) world_.fail("a host acts on an object that is not the fleet's newest");
    take(&by, text);
    return std::to_string(version_);
}

void StoreModel::tamper(std::optional<std::string> text) {
    tampered_ = true;
    shown_ = std::move(text);
    ++version_;
}

void StoreModel::end_tampering() {
    if (std::exchange(tampered_, false)) ++version_;
}

// --- As one host reaches it ----------------------------------------------------------------------

Task<Result<ObjectReading>> StoreHandle::read(ObjectVersion known) {
    StoreModel& store = host_.store();
    std::function<Result<ObjectReading>()> ask = [&store, known] {
        return Result<ObjectReading>(store.read(known));
    };
    auto reading = co_await host_.call(Server::store, std::move(ask), Effect::none);
    co_return reading;
}

Task<Result<ObjectVersion>> StoreHandle::swap(ObjectVersion from, std::string text) {
    StoreModel& store = host_.store();
    Host& host = host_;
    std::function<Result<ObjectVersion>()> write = [&store, &host, from, text] {
        return store.swap(host, from, text);
    };
    auto swapped = co_await host_.call(Server::store, std::move(write), Effect::store_write);
    co_return swapped;
}

Task<> StoreHandle::wait_for_change(ObjectVersion, BootTime until) {
    co_await host_.clock().sleep_until(until);
}

Task<Result<void>> StoreHandle::check_conditions(std::string) {
    co_return Result<void>();
}

}  // namespace keyturn::fleet_simulation
