#pragma once

#include "base/invariant.hpp"
#include "rotation/backoff.hpp"
#include "rotation/context.hpp"
#include "rotation/never.hpp"
#include "rotation/script.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace keyturn {

struct HealthFinding;

/// If the time between two checks exceeds the planned time by this much, nothing is known about it:
/// the host was suspended, or this process was stopped.
inline constexpr Milliseconds blind_max = std::chrono::seconds{30};

/// A unit goes down only on the basis of a sample that is at most this old.
inline constexpr Milliseconds sample_age_max = std::chrono::seconds{2};

/// How often keyturnd asks the API for its list of connectors.
inline constexpr Milliseconds list_interval = std::chrono::seconds{2};

/// Added to a unit's own timeouts, for systemd's own work on a job.
inline constexpr Milliseconds job_slack = std::chrono::seconds{10};

/// The tools of every chapter: asking, insisting, waiting, saving, reporting, and the ways to end a
/// chapter from inside. The header of a chapter names its own ends. Two more are possible in each:
/// held, if something that it insists on fails and that is not temporary; and refused or reverted
/// at any wait, because an operator may call the rotation off.
class Chapter {
  protected:
    explicit Chapter(RotationContext& context)
        : context_(context),
          inputs_(context.inputs),
          record_(context.record),
          view_(context.view),
          now_(context.now),
          wall_now_(context.wall_now),
          waits_(context.waits) {}

    template <class Asked>
    class ActionAwaiter;

    /// Suspends the story with an action. The answer resumes it.
    template <class Asked>
    ActionAwaiter<Asked> ask(Asked action);
    template <class Asked>
    ActionAwaiter<Asked> ask() {
        return ask(Asked());
    }

    /// Asks until it succeeds. Waits while an error is temporary, and holds for any other error.
    template <class Asked>
    Script<typename Asked::Value> insist(Asked action, std::string purpose);
    template <class Asked>
    Script<typename Asked::Value> insist(std::string purpose) {
        return insist(Asked(), std::move(purpose));
    }

    /// For the preflight, when nothing has been changed yet: tries a few times, then refuses. After
    /// a compromise there is no alternative to trying again, so it never gives up.
    template <class Asked>
    Script<typename Asked::Value> ask_or_refuse(Asked action, std::string purpose);
    template <class Asked>
    Script<typename Asked::Value> ask_or_refuse(std::string purpose) {
        return ask_or_refuse(Asked(), std::move(purpose));
    }

    /// Insists on the state of all planned units.
    Script<SampleUnits::Value> sample();
    /// The same for one of them, after `sample`.
    Script<SampleUnits::Sample> sample_one(std::size_t index);
    /// Notes what these samples of all planned units tell, for status and for later decisions.
    void take_in(const SampleUnits::Value& samples);
    /// Insists on Cloudflare's list.
    Script<std::vector<Connector>> list_connectors();
    Script<> sleep_for(Milliseconds duration);
    /// Makes the record durable in this phase. Waits until the disk takes it.
    Script<> save(Phase phase);
    /// The same for a step that a hold or an order may still prevent: the rotation is in this phase
    /// only once that is stored. `purpose` says what cannot be done while this fails.
    Script<> enter(Phase phase, std::string purpose);
    /// Reports a temporary error as the reason to wait, and lets the pause before the next attempt
    /// pass. `attempt` counts from 0.
    Script<> wait_out(Error error, std::string purpose, std::size_t attempt);

    /// The points at which a pause stops a rotation: before the change at Cloudflare, and before
    /// each restart.
    Script<> stand_still();
    [[nodiscard]] bool stands_still() const { return inputs_.paused && !record_.compromised(); }

    /// Returns only if an operator's request to revert came too late.
    Script<> obey();

    [[nodiscard]] Never hold(HoldReason reason, std::string text, std::string unit = {});
    [[nodiscard]] Never refuse(std::string text);
    [[nodiscard]] Never go_back(std::string why);
    [[nodiscard]] Never start_over();

    // Waiting is a state of the view, reported once at its beginning and once at its end. Waiting
    // for an answer ends with the next successful answer (`waited_enough`). Waiting for something
    // that no answer alone brings (replicas, a window, a unit that can be asked) ends only with
    // `waited_for_it`.
    void begin_waiting(std::string reason);
    void waited_enough();
    void wait_for(std::string reason);
    void waited_for_it();

    /// The view shows that a settle, a soak or a verification lasts this long from now.
    void begin_step(Milliseconds duration);
    void end_step();
    void say(EventKind kind, Priority priority, std::string message, std::string unit = {},
             std::string result = {});

    void tell_decays(const HealthFinding& finding);

    /// For a compromise that has to wait: adds how many unknown connectors are connected, and what
    /// ends that.
    [[nodiscard]] std::string with_strangers(std::string text) const;
    [[nodiscard]] std::vector<std::string> unit_names() const;
    /// With `drift: {restart: never}`, the next restart by anyone brings a unit onto the new token.
    [[nodiscard]] bool ends_after_delivery() const;
    /// "new" or "old": the secret and the token that the rotation brings the units to.
    [[nodiscard]] std::string_view wanted_one() const;
    [[nodiscard]] std::string_view kind_word() const;

    RotationContext& context_;
    RotationInputs& inputs_;
    RotationRecord& record_;
    RotationView& view_;
    const BootTime& now_;
    const WallTime& wall_now_;
    const std::size_t& waits_;

  private:
    void note_outage(const SampleUnits::Value& samples);
};

template <class Asked>
class Chapter::ActionAwaiter {
  public:
    ActionAwaiter(RotationContext& context, Asked action)
        : context_(context), action_(std::move(action)) {}

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> asker) {
        context_.asker = asker;
        context_.action.emplace(std::move(action_));
    }
    Result<typename Asked::Value> await_resume() {
        return std::move(std::get<Answered<Asked>>(*context_.answer).result);
    }

  private:
    RotationContext& context_;
    Asked action_;
};

template <class Asked>
Chapter::ActionAwaiter<Asked> Chapter::ask(Asked action) {
    return ActionAwaiter<Asked>(context_, std::move(action));
}

template <class Asked>
Script<typename Asked::Value> Chapter::insist(Asked action, std::string purpose) {
    for (std::size_t attempt = 0;; ++attempt) {
        auto result = co_await ask(std::move(action));
        if (result) {
            waited_enough();
            if constexpr (std::is_void_v<typename Asked::Value>) {
                co_return;
            } else {
                co_return std::move(*result);
            }
        }
        action = std::move(std::get<Asked>(*context_.action));
        const Error error = result.error();
        if (!passes_by_itself(error.fault)) {
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await hold(hold_reason_for(error.fault), std::move(text));
        }
        co_await wait_out(error, purpose, attempt);
    }
}

template <class Asked>
Script<typename Asked::Value> Chapter::ask_or_refuse(Asked action, std::string purpose) {
    constexpr std::size_t tries = 3;
    for (std::size_t attempt = 0;; ++attempt) {
        if (record_.compromised()) break;
        Asked again = action;
        auto result = co_await ask(std::move(again));
        if (result) co_return std::move(*result);
        const Error error = result.error();
        if (!passes_by_itself(error.fault) || attempt + 1 == tries) {
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await refuse(std::move(text));
        }
        const Milliseconds pause = pause_after(attempt, error);
        co_await sleep_for(pause);
    }
    auto value = co_await insist(std::move(action), std::move(purpose));
    co_return std::move(value);
}

}  // namespace keyturn
