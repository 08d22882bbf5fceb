#pragma once

#include "simulation/dice.hpp"
#include "simulation/faults.hpp"

namespace keyturn::simulation {

/// Decides whether a fault happens now, and counts the faults that do.
class Chance {
  public:
    Chance(Dice& dice, FaultPlan& plan, FaultCounts& counts)
        : dice_(dice), plan_(plan), counts_(counts) {}

    [[nodiscard]] Dice& dice() { return dice_; }

    [[nodiscard]] bool possible(FaultKind kind) const { return plan_.rate(kind) > 0; }

    /// For faults with a probability.
    [[nodiscard]] bool strikes(FaultKind kind) {
        const bool strikes = dice_.happens(plan_.rate(kind));
        if (strikes) count(kind);
        return strikes;
    }

    /// For faults with a rate: the time until the next one. `times` is how many things it can hit.
    [[nodiscard]] Milliseconds until_next(FaultKind kind, double times = 1) {
        return dice_.until_next(plan_.rate(kind) * times);
    }

    /// Whether a planned fault still happens. None does once the run is quiet.
    [[nodiscard]] bool comes(FaultKind kind) {
        if (plan_.rate(kind) <= 0) return false;
        count(kind);
        return true;
    }

    void count(FaultKind kind) {
        ++counts_[index_of(kind)];
        ++total_;
    }

    /// The number of faults so far.
    [[nodiscard]] std::uint64_t total() const { return total_; }

  private:
    Dice& dice_;
    FaultPlan& plan_;
    FaultCounts& counts_;
    std::uint64_t total_ = 0;
};

/// Something that fails from time to time, for a while: the API, the bus, the disk.
class Outages {
  public:
    Outages(Chance& chance, FaultKind kind, Milliseconds longest)
        : chance_(chance), kind_(kind), longest_(longest) {}

    [[nodiscard]] bool down(BootTime now) {
        if (chance_.until_next(kind_) == for_ever && !drawn_) return false;
        if (!drawn_) next_ = now + chance_.until_next(kind_);
        drawn_ = true;
        while (now >= next_) {
            const BootTime began = next_;
            next_ = began + chance_.until_next(kind_);
            if (!chance_.comes(kind_)) continue;
            const BootTime end = began + chance_.dice().between(Milliseconds{100}, longest_);
            ends_ = end > ends_ ? end : ends_;
        }
        return now < ends_;
    }

    void end() { ends_ = BootTime{}; }

  private:
    Chance& chance_;
    FaultKind kind_;
    Milliseconds longest_;
    bool drawn_ = false;
    BootTime next_{};
    BootTime ends_{};
};

}  // namespace keyturn::simulation
