#include "fleet/memory.hpp"

#include "fleet/document.hpp"
#include "fleet/document_check.hpp"
#include "state/tunnel_records.hpp"

#include <utility>

namespace keyturn {

template <class Visitor, IsA<FleetMemories> Record>
void describe(Visitor& visit, Record& memories) {
    visit("host", memories.host);
    visit("install", memories.install);
    visit("fleet", memories.fleet);
    visit("rev", memories.rev);
    visit("mark", memories.mark);
    visit("mark_pending", memories.mark_pending);
}

namespace {

constexpr std::size_t memory_size_max = 4096;
constexpr int memory_schema = 1;

bool is_sound(const FleetMemories& memories) {
    const auto is_mark = [](const std::string& mark) {
        return mark.empty() || is_hex_id(mark, mark_digits);
    };
    return is_fleet_host(memories.host) && is_hex_id(memories.install, install_digits) &&
           is_hex_id(memories.fleet, fleet_digits) && memories.rev <= counter_max &&
           is_mark(memories.mark) && is_mark(memories.mark_pending);
}

constexpr const char* untrusted =
    "what this host knows of its fleet cannot be trusted: {}; it takes no turn until it joins its "
    "fleet again";
constexpr const char* wrong_form = "a name or an id in it has a wrong form";

class FileFleetMemory final : public FleetMemory {
  public:
    explicit FileFleetMemory(std::string root)
        : records_(TunnelFiles(std::move(root), "fleet", memory_size_max), memory_schema,
                   untrusted) {}

    Result<std::optional<FleetMemories>> load(const std::string& tunnel) override {
        auto memories = records_.load(tunnel);
        const bool sound = !memories || !*memories || is_sound(**memories);
        if (!sound) return records_.distrust(tunnel, wrong_form);
        return memories;
    }

    Result<void> save(const std::string& tunnel, const FleetMemories& memories) override {
        if (!is_sound(memories)) return records_.distrust(tunnel, wrong_form);
        return records_.save(tunnel, memories);
    }

  private:
    TunnelRecords<FleetMemories> records_;
};

}  // namespace

std::unique_ptr<FleetMemory> make_fleet_memory(std::string state_directory) {
    return std::make_unique<FileFleetMemory>(std::move(state_directory));
}

}  // namespace keyturn
