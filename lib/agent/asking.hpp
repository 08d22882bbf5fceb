#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "executor/rotation_executor.hpp"

#include <utility>
#include <variant>

namespace keyturn {

/// Lets the executor perform one action and unpacks its answer.
template <class Asked>
Task<Result<typename Asked::Value>> ask(RotationExecutor& executor, Asked question) {
    const Action action = std::move(question);
    Answer answer = co_await executor.perform(action);
    co_return std::move(std::get<Answered<Asked>>(answer).result);
}

}  // namespace keyturn
