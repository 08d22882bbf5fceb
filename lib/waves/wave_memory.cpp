#include "waves/wave_memory.hpp"

#include "state/tunnel_records.hpp"

#include <utility>

namespace keyturn {

template <class Visitor, IsA<WaveMemories> Record>
void describe(Visitor& visit, Record& memories) {
    visit("token", memories.token);
    visit("earlier", memories.earlier);
    visit("settled", memories.settled);
    visit("done", memories.done);
    visit("overtaken", memories.overtaken);
}

namespace {

/// Enough for a thousand connectors; a tunnel has at most 25 at a time.
constexpr std::size_t memory_size_max = 65536;
constexpr int memory_schema = 1;
constexpr const char* untrusted =
    "what this host knows of the last change of the token cannot be trusted: {}; when all units of "
    "the tunnel run on the current token, remove this file and restart keyturnd";

class FileWaveMemory final : public WaveMemory {
  public:
    explicit FileWaveMemory(std::string root)
        : records_(TunnelFiles(std::move(root), "waves", memory_size_max), memory_schema,
                   untrusted) {}

    Result<WaveMemories> load(const std::string& tunnel) override {
        auto memories = records_.load(tunnel);
        if (!memories) return memories.error();
        return std::move(*memories).value_or(WaveMemories());
    }

    Result<void> save(const std::string& tunnel, const WaveMemories& memories) override {
        return records_.save(tunnel, memories);
    }

  private:
    TunnelRecords<WaveMemories> records_;
};

}  // namespace

std::unique_ptr<WaveMemory> make_wave_memory(std::string state_directory) {
    return std::make_unique<FileWaveMemory>(std::move(state_directory));
}

}  // namespace keyturn
