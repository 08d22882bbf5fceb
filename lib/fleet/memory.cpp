#include "fleet/memory.hpp"

#include "fleet/document.hpp"
#include "fleet/document_check.hpp"
#include "state/envelope.hpp"
#include "state/json_members.hpp"
#include "state/tunnel_files.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {
namespace {

constexpr std::size_t memory_size_max = 4096;
constexpr int memory_schema = 1;

/// The content of a file. With its tunnel, so that no file can take the place of another.
struct MemoryFile {
    std::string tunnel;
    FleetMemories memories;
};

template <class Visitor, IsA<MemoryFile> Record>
void describe(Visitor& visit, Record& file) {
    visit("tunnel", file.tunnel);
    visit("host", file.memories.host);
    visit("install", file.memories.install);
    visit("fleet", file.memories.fleet);
    visit("rev", file.memories.rev);
    visit("mark", file.memories.mark);
    visit("mark_pending", file.memories.mark_pending);
}

bool is_sound(const FleetMemories& memories) {
    const auto is_mark = [](const std::string& mark) {
        return mark.empty() || is_hex_id(mark, mark_digits);
    };
    return is_fleet_host(memories.host) && is_hex_id(memories.install, install_digits) &&
           is_hex_id(memories.fleet, fleet_digits) && memories.rev <= counter_max &&
           is_mark(memories.mark) && is_mark(memories.mark_pending);
}

Error untrusted(std::string_view why) {
    return Error{Fault::invalid,
                 fmt::format("what this host knows of its fleet cannot be trusted: {}; it takes no "
                             "turn until it joins its fleet again",
                             why)};
}

Result<FleetMemories> decode(const std::string& tunnel, std::string_view text) {
    const Envelope envelope = open_envelope(text);
    if (!envelope.damage.empty()) return untrusted(envelope.damage);
    if (envelope.schema > memory_schema) {
        return untrusted("a newer version of keyturn wrote it; install that version again");
    }
    Result<MemoryFile> file = JsonReader<AnyText>::record<MemoryFile>(envelope.json);
    if (!file) return untrusted(file.error().text);
    if (file->tunnel != tunnel) return untrusted("it is of another tunnel");
    if (!is_sound(file->memories)) return untrusted("a name or an id in it has a wrong form");
    return std::move(file->memories);
}

class FileFleetMemory final : public FleetMemory {
  public:
    explicit FileFleetMemory(std::string root)
        : files_(std::move(root), "fleet", memory_size_max) {}

    Result<std::optional<FleetMemories>> load(const std::string& tunnel) override {
        const Result<std::optional<std::string>> text = files_.load(tunnel);
        if (!text) return text.error();
        if (!*text) return std::optional<FleetMemories>();
        Result<FleetMemories> memories = decode(tunnel, **text);
        if (!memories) return with_context(files_.path_of(tunnel), memories.error());
        return std::optional<FleetMemories>(std::move(*memories));
    }

    Result<void> save(const std::string& tunnel, const FleetMemories& memories) override {
        if (!is_sound(memories)) return untrusted("a name or an id in it has a wrong form");
        return files_.save(
            tunnel,
            in_envelope(memory_schema, JsonWriter<AnyText>::text_of(MemoryFile{tunnel, memories})));
    }

  private:
    TunnelFiles files_;
};

}  // namespace

std::unique_ptr<FleetMemory> make_fleet_memory(std::string state_directory) {
    return std::make_unique<FileFleetMemory>(std::move(state_directory));
}

}  // namespace keyturn
