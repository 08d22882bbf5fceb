#pragma once

#include "rotation/chapter.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class HurriedPlan;
class TokenHandover;

/// After a compromise: who is attached with the old token is dropped, everybody or everybody but
/// ours. Strangers go at once; what cannot be told goes after a short time, while we surely can
/// restart our units: one of them may be ours then, and cannot come back without a restart.
class Eviction : public Chapter {
  public:
    Eviction(RotationContext& context, HurriedPlan& plan, const TokenHandover& handover)
        : Chapter(context), plan_(plan), handover_(handover) {}

    /// Once for a compromise; the record says that it is done.
    Script<> evict();

    /// `surely_foreign`: else it may be one of ours, whose unit does not tell its connector.
    Script<> drop(Connector connector, bool surely_foreign);

    /// Who of these is ours; the others are told of in every reason to wait from now on.
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
