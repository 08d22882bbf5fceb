#pragma once

#include "asio/task.hpp"
#include "rotation/action.hpp"

#include <utility>
#include <variant>

namespace keyturn {

/// Performs an action with the `act` that an executor has for its kind. A friend of those whose
/// `act` is private.
class ByKind {
  public:
    template <class Self, class... Actions>
    static auto perform(Self& self, const std::variant<Actions...>& action) {
        using Given = typename AnswerOf<std::variant<Actions...>>::type;
        return std::visit([&self](const auto& asked) { return answer<Given>(self, asked); },
                          action);
    }

  private:
    template <class Given, class Self, class Asked>
    static Task<Given> answer(Self& self, const Asked& action) {
        auto result = co_await self.act(action);
        Answered<Asked> answered{std::move(result)};
        co_return Given(std::move(answered));
    }
};

}  // namespace keyturn
