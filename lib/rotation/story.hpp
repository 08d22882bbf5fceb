#pragma once

#include "rotation/beginning.hpp"
#include "rotation/bring_in.hpp"
#include "rotation/capacity.hpp"
#include "rotation/commit.hpp"
#include "rotation/compromise.hpp"
#include "rotation/conclusion.hpp"
#include "rotation/context.hpp"
#include "rotation/eviction.hpp"
#include "rotation/finish.hpp"
#include "rotation/foreign_token.hpp"
#include "rotation/hurried_plan.hpp"
#include "rotation/lock_out_proof.hpp"
#include "rotation/preparation.hpp"
#include "rotation/proof.hpp"
#include "rotation/restart_window.hpp"
#include "rotation/revert.hpp"
#include "rotation/roll_out.hpp"
#include "rotation/soak.hpp"
#include "rotation/standstill.hpp"
#include "rotation/surge.hpp"
#include "rotation/take_over.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"

namespace keyturn {

/// All chapters of a rotation and their order.
class Story {
  public:
    explicit Story(RotationContext& context);
    Story(const Story&) = delete;
    Story& operator=(const Story&) = delete;

    /// Runs up to the first action.
    void begin() { script_.start(); }

  private:
    Script<> tell();
    [[nodiscard]] ChapterName chapter_after(const Ending& ending, ChapterName told) const;
    Script<Ending> open(ChapterName chapter, Ending before);

    RotationContext& context_;

    // What several chapters use.
    Capacity capacity_{context_};
    ForeignToken foreign_{context_};
    TokenHandover handover_{context_, foreign_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    UnitRestart restart_{context_, capacity_, handover_, token_, proof_};
    Surge surge_{context_, capacity_, restart_};
    Soak soak_{context_, token_, proof_, restart_};

    // The chapters.
    Beginning beginning_{context_};
    Preparation preparation_{context_};
    HurriedPlan plan_{context_, preparation_};
    Eviction eviction_{context_, plan_, handover_};
    Commit commit_{context_, handover_, token_, eviction_};
    BringIn bring_in_{context_, preparation_, handover_, token_};
    TakeOver take_over_{context_, preparation_, foreign_, handover_, token_};
    Compromise compromise_{context_, plan_, preparation_, commit_, eviction_, handover_, token_};
    Revert revert_{context_, handover_, token_};
    RestartWindow window_{context_, capacity_, token_};
    RollOut roll_out_{context_, token_, restart_, soak_, surge_};
    LockOutProof lock_out_{context_, eviction_, proof_, token_};
    Finish finish_{context_, handover_, token_, soak_, lock_out_};
    Conclusion conclusion_{context_};
    Standstill standstill_{context_};

    Script<> script_ = tell();
};

}  // namespace keyturn
