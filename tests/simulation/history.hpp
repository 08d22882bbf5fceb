#pragma once

#include "journal/event.hpp"
#include "simulation/simulation.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace keyturn::simulation {

/// Writes the events of runs in the format of `journalctl -o json`: one line for each event, in
/// virtual time. Each seed is a separate machine. A separate line gives the policy of each tunnel.
class HistoryFile {
  public:
    explicit HistoryFile(const std::string& path);
    ~HistoryFile();
    HistoryFile(const HistoryFile&) = delete;
    HistoryFile& operator=(const HistoryFile&) = delete;

    [[nodiscard]] bool is_open() const { return file_ != nullptr; }

    void begin(std::uint64_t seed, const Scenario& scenario);
    void add(const Event& event, const Moment& moment);

  private:
    std::FILE* file_ = nullptr;
    std::string machine_;
};

}  // namespace keyturn::simulation
