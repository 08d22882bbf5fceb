#pragma once

#include "agent/tunnel_agent.hpp"

#include <utility>
#include <variant>

namespace keyturn {

/// Asks the shell for something and unpacks its answer.
template <class Asked>
Task<Result<typename Asked::Value>> TunnelAgent::ask(Asked question) {
    const Action action = std::move(question);
    Answer answer = co_await executor_.perform(action);
    co_return std::move(std::get<Answered<Asked>>(answer).result);
}

}  // namespace keyturn
