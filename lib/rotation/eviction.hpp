#pragma once

#include "rotation/chapter.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class HurriedPlan;
class TokenHandover;

/// After a compromise, drops the connectors that use the old token: either all, or all but ours.
/// Somebody else's connectors go at once. Doubtful ones go after a short time, while our units can
/// certainly be restarted: one of them may be ours, and cannot come back without a restart.
class Eviction : public Chapter {
  public:
    Eviction(RotationContext& context, HurriedPlan& plan, const TokenHandover& handover)
        : Chapter(context), plan_(plan), handover_(handover) {}

    /// Runs once in a compromise. The record remembers that it is done.
    Script<> evict();

    /// Drops one connector and reports it. Without `surely_foreign`, it may belong to one of our
    /// units that does not report its connector.
    Script<> drop(Connector connector, bool surely_foreign);

    /// Finds out which of these are ours. From now on every reason to wait mentions the others.
    [[nodiscard]] Attached sort_out(const std::vector<Connector>& listed,
                                    const std::optional<SampleUnits::Value>& samples);

  private:
    Script<> evict_strangers();
    Script<> evict_doubtful(Attached attached, SampleUnits::Value samples);
    Script<std::optional<SampleUnits::Value>> look_at_units();
    Script<std::optional<std::string>> restart_path_problem();
    void tell_doubt(const Attached& attached);
    void tell_blocked(const std::string& why);
    void note_evicted(std::string described);

    HurriedPlan& plan_;
    const TokenHandover& handover_;
};

}  // namespace keyturn
