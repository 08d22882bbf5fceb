#pragma once

#include "fakes/matchers.hpp"
#include "fakes/samples.hpp"
#include "rotation/never.hpp"
#include "rotation/story.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace keyturn {

using Holder = ReadToken::Holder;
using Sample = SampleUnits::Sample;
using Samples = SampleUnits::Value;

/// One chapter at a time: the test reads it, checks each question and gives the answer. All
/// chapters are here, connected as in `Story`. None of them acts before the test reads it.
class ChapterAlone : public testing::Test {
  protected:
    /// With these units planned already.
    explicit ChapterAlone(std::vector<UnitProgress> units = {})
        : context_(context_of(std::move(units))) {}

    /// Reads a chapter to its first question or to its end.
    void read(Script<Ending> chapter) {
        ending_.reset();
        reader_ = tell(std::move(chapter));
        reader_.start();
    }

    /// The same for a part of a chapter. When it returns, the ending is `done`.
    void read_part(Script<> part) { read(as_chapter(std::move(part))); }

    template <class Asked>
    [[nodiscard]] bool is_asked() const {
        return std::holds_alternative<Asked>(*context_.action);
    }

    /// The question, which has to be of this type.
    template <class Asked>
    const Asked& asked() {
        const Asked* question = std::get_if<Asked>(&*context_.action);
        EXPECT_NE(question, nullptr) << "another question, number " << context_.action->index();
        static const Asked none{};
        return question == nullptr ? none : *question;
    }

    template <class Asked>
    void answer(typename Asked::Value value) {
        answer_with<Asked>(std::move(value));
    }
    template <class Asked>
    void answer(const Error& error) {
        answer_with<Asked>(error);
    }

    /// Gives the answer of a success that carries nothing.
    template <class Asked>
    void agree() {
        if constexpr (std::is_void_v<typename Asked::Value>) {
            answer_with<Asked>({});
        } else {
            answer_with<Asked>(typename Asked::Value());
        }
    }

    /// Cloudflare holds this token.
    void show_token(Holder holder) {
        const RotationRecord& record = context_.record;
        const bool ours = holder == Holder::ours;
        const std::string& kept = ours ? record.new_fingerprint : record.old_fingerprint;
        show_token(holder, holder == Holder::other ? "theirs" : kept);
    }
    void show_token(Holder holder, const std::string& fingerprint) {
        answer<ReadToken>({holder, fingerprint, {}});
    }
    /// The token file holds this token.
    void show_file(const std::string& fingerprint = "new") {
        answer<CheckFiles>({fingerprint, false});
    }

    /// The chapter waits. Lets time pass until then.
    void pass() {
        const Milliseconds time = asked<Wait>().until - context_.now;
        context_.now += time;
        context_.wall_now += time;
        agree<Wait>();
    }

    /// Gives the same answer to every question of this type and lets every wait pass, until the
    /// chapter asks another question or ends.
    template <class Asked>
    void keep_answering(const Result<typename Asked::Value>& result) {
        while (!ending_ && (is_asked<Asked>() || is_asked<Wait>())) {
            if (is_asked<Wait>()) {
                pass();
            } else {
                answer_with<Asked>(result);
            }
        }
    }

    static UnitProgress planned(const std::string& name, UnitStep step) {
        UnitProgress unit;
        unit.name = name;
        unit.step = step;
        unit.batch = 1;
        unit.baseline = full;
        return unit;
    }

    UnitProgress& add_unit(const std::string& name, UnitStep step) {
        context_.record.units.push_back(planned(name, step));
        return context_.record.units.back();
    }

    /// Unit a, of which `a_` was proven.
    void add_proven_unit() {
        UnitProgress& unit = add_unit(a, UnitStep::verified);
        unit.connector_after = "c-a";
        unit.invocation_after = "i-a";
    }

    [[nodiscard]] std::vector<EventKind> told() const {
        std::vector<EventKind> kinds;
        for (const Event& event : context_.events) kinds.push_back(event.kind);
        return kinds;
    }

    void expect_next(ChapterName chapter) const {
        expect_end(Ending::Kind::go_on);
        EXPECT_EQ(ending_->next, chapter);
    }

    void expect_held(HoldReason reason, const std::string& unit = {}) const {
        expect_end(Ending::Kind::held);
        EXPECT_EQ(name_of(ending_->reason), name_of(reason)) << ending_->text;
        EXPECT_EQ(ending_->unit, unit);
    }

    void expect_end(Ending::Kind kind) const {
        ASSERT_TRUE(ending_);
        EXPECT_EQ(ending_->kind, kind) << ending_->text;
    }

    const Sample a_ = serving("i-a", "c-a");
    const Sample b_ = serving("i-b", "c-b");
    const Sample idle_a_ = idle("i-a", "c-a");
    const Sample idle_b_ = idle("i-b", "c-b");
    const Sample silent_a_ = silent("i-a");
    const Sample silent_b_ = silent("i-b");

    RotationContext context_;
    std::optional<Ending> ending_;  ///< Empty while the chapter asks.

    Capacity capacity_{context_};
    ForeignToken foreign_{context_};
    TokenHandover handover_{context_, foreign_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    UnitRestart restart_{context_, capacity_, handover_, token_, proof_};
    Surge surge_{context_, capacity_, restart_};
    Soak soak_{context_, token_, proof_, restart_};
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

  private:
    static RotationContext context_of(std::vector<UnitProgress> units) {
        RotationContext context;
        context.inputs.policy = web_policy();
        context.record.old_fingerprint = "old";
        context.record.new_fingerprint = "new";
        context.record.units = std::move(units);
        return context;
    }

    template <class Asked>
    void answer_with(Result<typename Asked::Value> result) {
        ASSERT_FALSE(ending_) << "it has ended: " << ending_->text;
        ASSERT_TRUE(is_asked<Asked>()) << "another question, number " << context_.action->index();
        context_.answer.emplace(Answered<Asked>{std::move(result)});
        std::exchange(context_.asker, nullptr).resume();
    }

    Script<> tell(Script<Ending> chapter) {
        Reading reading(context_, std::move(chapter));
        ending_ = co_await reading;
    }

    static Script<Ending> as_chapter(Script<> part) {
        co_await part;
        co_return Ending();
    }

    Script<> reader_;
};

}  // namespace keyturn
