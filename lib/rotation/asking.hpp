#pragma once

// How the chapters of a rotation's story ask the world; included by those chapters alone.

#include "rotation/backoff.hpp"
#include "rotation/rotation.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

/// When two looks are further apart than planned by this, nothing can be said about the time
/// between: the host was suspended, or this process stood still.
inline constexpr Milliseconds blind_max = std::chrono::seconds{30};

/// A unit goes down only by what was seen at most this long before.
inline constexpr Milliseconds sample_age_max = std::chrono::seconds{2};

/// How often the API is asked for its list of connectors.
inline constexpr Milliseconds list_interval = std::chrono::seconds{2};

/// Beyond a unit's own timeouts, for systemd's own work on a job.
inline constexpr Milliseconds job_slack = std::chrono::seconds{10};

/// Suspends the story with an action and resumes it with the answer.
template <class Asked>
class Rotation::Question {
  public:
    Question(Rotation& rotation, Asked action) : rotation_(rotation), action_(std::move(action)) {}

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> asker) {
        rotation_.asker_ = asker;
        rotation_.action_.emplace(std::move(action_));
    }
    Result<typename Asked::Value> await_resume() {
        return std::move(std::get<Answered<Asked>>(*rotation_.answer_).result);
    }

  private:
    Rotation& rotation_;
    Asked action_;
};

template <class Asked>
Rotation::Question<Asked> Rotation::ask(Asked action) {
    return Question<Asked>(*this, std::move(action));
}

/// Asks until it succeeds: waits out what passes by itself, holds for what does not.
template <class Asked>
Script<typename Asked::Value> Rotation::insist(Asked action, std::string purpose) {
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
        action = std::move(std::get<Asked>(*action_));
        const Error error = result.error();
        if (!passes_by_itself(error.fault)) {
            std::string reason{name_of(error.fault)};
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await hold(std::move(reason), std::move(text));
        }
        co_await wait_out(error, purpose, attempt);
    }
}

/// For preflight, when nothing is touched yet: a few tries, then a refusal. After a compromise
/// there is nothing better to do than to go on trying.
template <class Asked>
Script<typename Asked::Value> Rotation::ask_or_refuse(Asked action, std::string purpose) {
    constexpr std::size_t tries = 3;
    for (std::size_t attempt = 0;; ++attempt) {
        if (record_.compromised) break;
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
