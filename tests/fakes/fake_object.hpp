#pragma once

#include "fakes/sample_fleet.hpp"
#include "fakes/samples.hpp"
#include "fakes/simulated_clock.hpp"
#include "fleet/document_text.hpp"
#include "fleet/memory.hpp"
#include "fleet/transitions.hpp"
#include "shared_object/shared_object.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace keyturn {

/// How a swap goes.
enum class SwapFate {
    done,
    done_but_lost,      ///< It happens, and the answer is lost.
    lost,               ///< It does not happen, and nobody can know.
    late,               ///< The answer is lost; it happens when the test says (`land`).
    busy,               ///< The store says "later".
    unreachable,        ///< The store was not reached.
    done_but_conflict,  ///< A proxy sent it twice: it happens, and the answer is that of the
                        ///< second.
};

/// A shared object in memory, with every way in which a store can leave a host in doubt.
class FakeObject final : public SharedObject {
  public:
    explicit FakeObject(SimulatedClock& clock) : clock_(clock) {}

    // SharedObject
    Task<Result<ObjectReading>> read(ObjectVersion known) override {
        ++reads;
        if (down) co_return *down;
        ObjectReading reading;
        if (!text) co_return reading;
        reading.version = std::to_string(version_);
        reading.found = ObjectReading::Found::unchanged;
        if (known == reading.version) co_return reading;
        reading.found = ObjectReading::Found::present;
        reading.text = *text;
        co_return reading;
    }

    Task<Result<ObjectVersion>> swap(ObjectVersion from, std::string wanted) override {
        ++swaps;
        if (down) co_return *down;
        const auto others = std::exchange(before_swap, {});
        if (others) others();
        const SwapFate fate = fates.empty() ? SwapFate::done : fates.front();
        if (!fates.empty()) fates.pop_front();
        switch (fate) {
            case SwapFate::busy: co_return Error{Fault::busy, "later", std::chrono::seconds{3}};
            case SwapFate::unreachable: co_return no_answer;
            case SwapFate::lost: co_return answer_lost;
            case SwapFate::late:
                late_.emplace_back(std::move(from), std::move(wanted));
                co_return answer_lost;
            case SwapFate::done_but_lost:
                static_cast<void>(apply(from, wanted));
                co_return answer_lost;
            case SwapFate::done_but_conflict:
                static_cast<void>(apply(from, wanted));
                co_return outrun;
            case SwapFate::done: break;
        }
        co_return apply(from, wanted);
    }

    Task<> wait_for_change(ObjectVersion, BootTime until) override {
        co_await clock_.sleep_until(until);
    }

    Task<Result<void>> check_conditions(std::string) override {
        if (breaks_conditions) {
            co_return Error{Fault::invalid, "the store ignores If-None-Match", {}};
        }
        co_return Result<void>();
    }

    /// The writes that were late arrive now.
    void land() {
        for (const auto& [from, wanted] : std::exchange(late_, {})) {
            static_cast<void>(apply(from, wanted));
        }
    }

    /// Somebody replaces the object, whatever was there.
    void put(std::string other) {
        text = std::move(other);
        ++version_;
    }
    void remove() {
        text.reset();
        ++version_;
    }

    // --- In the words of a fleet, for whoever has its key ---

    void put(const FleetDocument& document) {
        auto written = write_fleet_text(document, fleet_keys());
        ASSERT_TRUE(written) << written.error().text;
        put(std::move(*written));
    }

    /// What it contains; an empty document if nobody can read it.
    [[nodiscard]] FleetDocument document() const {
        if (!text) return {};
        auto document = read_fleet_text(*text, fleet_keys(), {tunnel_id, {}});
        EXPECT_TRUE(document) << document.error().text;
        return document ? std::move(*document) : FleetDocument();
    }

    /// Another host of the fleet changes it.
    void change(const FleetTransition& transition, const std::string& host = "host-2") {
        FleetDocument changed = document();
        const Result<void> applied = transition(changed);
        ASSERT_TRUE(applied) << applied.error().text;
        ++changed.rev;
        changed.nonce = std::string(12, 'e') + std::to_string(1000 + changed.rev % 9000);
        changed.writer = host;
        put(changed);
    }

    std::optional<std::string> text;    ///< Nothing: the object does not exist.
    std::deque<SwapFate> fates;         ///< Of the next swaps; then all are done.
    std::optional<Error> down;          ///< Every call fails with this.
    std::function<void()> before_swap;  ///< Once, right before the next swap: others are faster.
    bool breaks_conditions = false;
    int reads = 0;
    int swaps = 0;

  private:
    Result<ObjectVersion> apply(const ObjectVersion& from, const std::string& wanted) {
        const ObjectVersion present = text ? std::to_string(version_) : ObjectVersion();
        if (from != present) return outrun;
        put(wanted);
        return std::to_string(version_);
    }

    inline static const Error outrun{Fault::conflict, "the object has changed", {}};

    SimulatedClock& clock_;
    std::uint64_t version_ = 0;
    std::deque<std::pair<ObjectVersion, std::string>> late_;
};

/// What a host remembers of its fleet, on a disk that can be full.
class FakeFleetMemory final : public FleetMemory {
  public:
    [[nodiscard]] Result<std::optional<FleetMemories>> load(const std::string& tunnel) override {
        if (broken) return *broken;
        const auto found = kept.find(tunnel);
        if (found == kept.end()) return std::optional<FleetMemories>();
        return std::optional<FleetMemories>(found->second);
    }
    [[nodiscard]] Result<void> save(const std::string& tunnel,
                                    const FleetMemories& memories) override {
        if (broken) return *broken;
        kept[tunnel] = memories;
        ++saves;
        return {};
    }

    std::map<std::string, FleetMemories> kept;
    std::optional<Error> broken;
    int saves = 0;
};

}  // namespace keyturn
