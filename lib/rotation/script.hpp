#pragma once

#include "base/invariant.hpp"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace keyturn {

/// A part of a rotation's story, written from top to bottom. It does no I/O and needs no event
/// loop. When it asks something of the world, it is suspended, and the driver of the rotation
/// resumes it with the answer. It starts when it is awaited. Destroying it abandons the story.
template <class T = void>
class Script;

namespace detail {

/// Resumes the coroutine that waits for this script.
struct FinalAwaiter : std::suspend_always {
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
        std::coroutine_handle<> continuation = done.promise().continuation;
        return continuation ? continuation : std::noop_coroutine();
    }
};

struct ScriptPromiseBase {
    std::coroutine_handle<> continuation;

    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct ScriptPromise : ScriptPromiseBase {
    std::optional<T> value;

    Script<T> get_return_object();
    void return_value(T result) { value.emplace(std::move(result)); }
    T take() { return std::move(*value); }
};

template <>
struct ScriptPromise<void> : ScriptPromiseBase {
    Script<void> get_return_object();
    void return_void() const noexcept {}
    void take() const noexcept {}
};

}  // namespace detail

template <class T>
class Script {
  public:
    using promise_type = detail::ScriptPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Script() = default;
    explicit Script(Handle handle) : handle_(handle) {}
    Script(Script&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Script& operator=(Script&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;
    ~Script() {
        if (handle_) handle_.destroy();
    }

    /// Runs to the first suspension. Only for the outermost script.
    void start() { handle_.resume(); }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        handle_.promise().continuation = caller;
        return handle_;
    }
    T await_resume() { return handle_.promise().take(); }

  private:
    Handle handle_ = nullptr;
};

namespace detail {

template <class T>
Script<T> ScriptPromise<T>::get_return_object() {
    return Script<T>(std::coroutine_handle<ScriptPromise<T>>::from_promise(*this));
}

inline Script<void> ScriptPromise<void>::get_return_object() {
    return Script<void>(std::coroutine_handle<ScriptPromise<void>>::from_promise(*this));
}

}  // namespace detail

}  // namespace keyturn
