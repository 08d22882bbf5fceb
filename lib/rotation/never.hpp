#pragma once

#include "base/invariant.hpp"
#include "rotation/context.hpp"
#include "rotation/script.hpp"

#include <coroutine>
#include <utility>

namespace keyturn {

/// Ends the chapter from wherever it is. A caller that awaits this never continues: the chapter and
/// everything that it called are destroyed, and the story continues with the ending.
class [[nodiscard]] Never {
  public:
    Never(RotationContext& context, Ending ending)
        : context_(context), ending_(std::move(ending)) {}

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept {
        context_.ending.emplace(std::move(ending_));
        return context_.reader;
    }
    void await_resume() const { invariant(false, "a chapter that has ended cannot continue"); }

  private:
    RotationContext& context_;
    Ending ending_;
};

/// Runs one chapter to its end, in whichever way it ends.
class Reading {
  public:
    Reading(RotationContext& context, Script<Ending> chapter)
        : context_(context), chapter_(std::move(chapter)) {}

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> reader) noexcept {
        context_.reader = reader;
        return chapter_.await_suspend(reader);
    }
    Ending await_resume() {
        if (!context_.ending) return chapter_.await_resume();
        Ending ending = std::move(*context_.ending);
        context_.ending.reset();
        return ending;
    }

  private:
    RotationContext& context_;
    Script<Ending> chapter_;
};

}  // namespace keyturn
