#include "waves/wave_memory.hpp"

#include "state/envelope.hpp"
#include "state/json_members.hpp"
#include "state/tunnel_files.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace keyturn {
namespace {

/// Enough for a thousand connectors; a tunnel has at most 25 at a time.
constexpr std::size_t memory_size_max = 65536;
constexpr int memory_schema = 1;

/// The content of a file. With its tunnel, so that no file can take the place of another.
struct MemoryFile {
    std::string tunnel;
    WaveMemories memories;
};

template <class Visitor, IsA<MemoryFile> Record>
void describe(Visitor& visit, Record& file) {
    visit("tunnel", file.tunnel);
    visit("token", file.memories.token);
    visit("earlier", file.memories.earlier);
    visit("settled", file.memories.settled);
    visit("done", file.memories.done);
    visit("overtaken", file.memories.overtaken);
}

Error untrusted(std::string_view why) {
    return Error{Fault::invalid,
                 fmt::format("what this host knows of the last change of the token cannot be "
                             "trusted: {}; when all units of the tunnel run on the current token, "
                             "remove this file",
                             why),
                 {}};
}

Result<WaveMemories> decode(const std::string& tunnel, std::string_view text) {
    const Envelope envelope = open_envelope(text);
    if (!envelope.damage.empty()) return untrusted(envelope.damage);
    if (envelope.schema > memory_schema) {
        return untrusted("a newer version of keyturn wrote it; install that version again");
    }
    Result<MemoryFile> file = JsonReader<AnyText>::record<MemoryFile>(envelope.json);
    if (!file) return untrusted(file.error().text);
    if (file->tunnel != tunnel) return untrusted("it is of another tunnel");
    return std::move(file->memories);
}

class FileWaveMemory final : public WaveMemory {
  public:
    explicit FileWaveMemory(std::string root) : files_(std::move(root), "waves", memory_size_max) {}

    Result<WaveMemories> load(const std::string& tunnel) override {
        const Result<std::optional<std::string>> text = files_.load(tunnel);
        if (!text) return text.error();
        if (!*text) return WaveMemories();
        Result<WaveMemories> memories = decode(tunnel, **text);
        if (!memories) return with_context(files_.path_of(tunnel), memories.error());
        return memories;
    }

    Result<void> save(const std::string& tunnel, const WaveMemories& memories) override {
        return files_.save(
            tunnel,
            in_envelope(memory_schema, JsonWriter<AnyText>::text_of(MemoryFile{tunnel, memories})));
    }

  private:
    TunnelFiles files_;
};

}  // namespace

std::unique_ptr<WaveMemory> make_wave_memory(std::string state_directory) {
    return std::make_unique<FileWaveMemory>(std::move(state_directory));
}

}  // namespace keyturn
