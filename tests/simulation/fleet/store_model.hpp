#pragma once

#include "fleet/document.hpp"
#include "fleet/keys.hpp"
#include "shared_object/shared_object.hpp"
#include "simulation/fleet/world.hpp"

#include <functional>
#include <optional>
#include <string>

namespace keyturn::fleet_simulation {

class Host;

/// The store with the shared object: what is really in it.
class StoreModel {
  public:
    StoreModel(World& world, const FleetKeys& keys) : world_(world), keys_(keys) {}

    /// What a person with the right tool does: applies a change, and it is certainly there.
    void write_directly(FleetDocument document);

    [[nodiscard]] ObjectReading read(const ObjectVersion& known) const;
    /// `by` is the host that has sent it, perhaps long ago.
    Result<ObjectVersion> swap(const Host& by, const ObjectVersion& from, const std::string& text);

    /// What keyturn has written last, whatever a thief shows instead.
    [[nodiscard]] const FleetDocument& document() const { return document_; }

    /// A thief or an accident replaces the object; nothing: deletes it. `end_tampering` undoes
    /// that.
    void tamper(std::optional<std::string> text);
    void end_tampering();
    [[nodiscard]] bool tampered() const { return tampered_; }
    [[nodiscard]] const std::string& text() const { return text_; }

    /// Called for every write of keyturn that has landed.
    std::function<void(const Host* by, const FleetDocument& before, const FleetDocument& after)>
        on_write;

    BootTime down_until{};
    std::uint64_t writes = 0;

  private:
    void take(const Host* by, const std::string& text);

    World& world_;
    const FleetKeys& keys_;
    std::string text_;
    FleetDocument document_;
    std::uint64_t version_ = 0;
    bool tampered_ = false;
    std::optional<std::string> shown_;  ///< While tampered.
};

/// The store as one host reaches it, or does not.
class StoreHandle final : public SharedObject {
  public:
    explicit StoreHandle(Host& host) : host_(host) {}

    Task<Result<ObjectReading>> read(ObjectVersion known) override;
    Task<Result<ObjectVersion>> swap(ObjectVersion from, std::string text) override;
    Task<> wait_for_change(ObjectVersion known, BootTime until) override;
    Task<Result<void>> check_conditions(std::string scratch) override;

  private:
    Host& host_;
};

}  // namespace keyturn::fleet_simulation
