#pragma once

#include "rotation/context.hpp"
#include "rotation/never.hpp"
#include "rotation/script.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace keyturn {

using namespace std::chrono_literals;

/// One chapter without the others: the test reads it, looks at each question and gives the answer.
class ChapterAlone : public testing::Test {
  protected:
    ChapterAlone() {
        context_.inputs.policy.name = "web";
        context_.inputs.policy.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
        context_.record.old_fingerprint = "old";
        context_.record.new_fingerprint = "new";
    }

    /// Reads a chapter to its first question or to its end.
    void read(Script<Ending> chapter) {
        ending_.reset();
        reader_ = tell(std::move(chapter));
        reader_.start();
    }

    /// The same for a part of a chapter; one that comes back ends with `done`.
    void read_part(Script<> part) { read(as_chapter(std::move(part))); }

    /// The question, which has to be of this type.
    template <class Asked>
    const Asked& asked() {
        const Asked* question = std::get_if<Asked>(&*context_.action);
        EXPECT_NE(question, nullptr) << "another question, number " << context_.action->index();
        static const Asked none{};
        return question == nullptr ? none : *question;
    }

    template <class Asked>
    void answer(Result<typename Asked::Value> result) {
        ASSERT_FALSE(ending_) << "it has ended: " << ending_->text;
        ASSERT_TRUE(std::holds_alternative<Asked>(*context_.action))
            << "another question, number " << context_.action->index();
        context_.answer.emplace(Answered<Asked>{std::move(result)});
        std::exchange(context_.asker, nullptr).resume();
    }

    /// To one that has no value.
    template <class Asked>
    void agree() {
        answer<Asked>(Result<void>());
    }

    /// It waits: time passes to the moment that it waits for.
    void pass() {
        const Milliseconds time = asked<Wait>().until - context_.now;
        context_.now += time;
        context_.wall_now += time;
        agree<Wait>();
    }

    UnitProgress& add_unit(const std::string& name, UnitStep step) {
        UnitProgress unit;
        unit.name = name;
        unit.step = step;
        unit.batch = 1;
        unit.baseline = 4;
        context_.record.units.push_back(unit);
        return context_.record.units.back();
    }

    [[nodiscard]] std::vector<EventKind> told() const {
        std::vector<EventKind> kinds;
        for (const Event& event : context_.events) kinds.push_back(event.kind);
        return kinds;
    }

    void expect_next(ChapterName chapter) const {
        ASSERT_TRUE(ending_);
        EXPECT_EQ(ending_->kind, Ending::Kind::go_on) << ending_->text;
        EXPECT_EQ(ending_->next, chapter);
    }

    void expect_held(HoldReason reason, const std::string& unit = {}) const {
        ASSERT_TRUE(ending_);
        EXPECT_EQ(ending_->kind, Ending::Kind::held);
        EXPECT_EQ(name_of(ending_->reason), name_of(reason)) << ending_->text;
        EXPECT_EQ(ending_->unit, unit);
    }

    void expect_end(Ending::Kind kind) const {
        ASSERT_TRUE(ending_);
        EXPECT_EQ(ending_->kind, kind) << ending_->text;
    }

    RotationContext context_;
    std::optional<Ending> ending_;  ///< Nothing: it still asks.

  private:
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

/// Serves with four connections as this connector.
[[nodiscard]] inline SampleUnits::Sample serving(const std::string& invocation,
                                                 const std::string& connector) {
    SampleUnits::Sample sample;
    sample.state.load_state = "loaded";
    sample.state.active_state = "active";
    sample.state.sub_state = "running";
    sample.state.main_pid = 4711;
    sample.state.invocation = invocation;
    sample.readiness = Readiness{connector, "", 4, true};
    return sample;
}

/// Up, and without a connection.
[[nodiscard]] inline SampleUnits::Sample idle(const std::string& invocation,
                                              const std::string& connector) {
    SampleUnits::Sample sample = serving(invocation, connector);
    sample.readiness->connections = 0;
    return sample;
}

/// Up, and nobody knows whether it serves.
[[nodiscard]] inline SampleUnits::Sample silent(const std::string& invocation) {
    SampleUnits::Sample sample = serving(invocation, "");
    sample.readiness.reset();
    sample.unasked = "its metrics server does not answer";
    return sample;
}

[[nodiscard]] inline SampleUnits::Sample stopped() {
    SampleUnits::Sample sample;
    sample.state.load_state = "loaded";
    sample.state.active_state = "inactive";
    sample.state.sub_state = "dead";
    sample.state.result = "success";
    return sample;
}

inline const Error no_answer{Fault::unreachable, "no answer", {}};
inline const Error no_right{Fault::denied, "it may not", {}};

}  // namespace keyturn
