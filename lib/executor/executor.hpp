#pragma once

#include "asio/task.hpp"
#include "rotation/action.hpp"
#include "token/token.hpp"

#include <string>
#include <utility>
#include <variant>

namespace keyturn {

/// Performs what the heart, or a check of an idle tunnel, asks for, and decides nothing. There are
/// two: of this host alone (`RotationExecutor`), and of a fleet.
class Executor {
  public:
    virtual ~Executor() = default;

    /// Performs one action. Throws `operation_aborted` on cancellation, and nothing else.
    virtual Task<Answer> perform(const Action& action) = 0;

    /// The same for one kind of action.
    template <class Asked>
    Task<Result<typename Asked::Value>> ask(Asked question) {
        const Action action(std::move(question));
        Answer answer = co_await perform(action);
        auto& answered = std::get<Answered<Asked>>(answer);
        co_return std::move(answered.result);
    }

    /// The fingerprint of the token in the token file; empty if there is none that can be read.
    [[nodiscard]] virtual Result<Fingerprint> delivered_fingerprint() = 0;

    /// The id of the rotation whose tokens are kept; empty if there are none or they cannot be
    /// read.
    [[nodiscard]] virtual std::string kept_rotation() = 0;

    /// Writes the API's token into a token file that does not exist yet. Leaves an existing file
    /// alone.
    virtual Task<Result<void>> seed_token_file() = 0;

    /// The token that an open rotation has replaced with `delivered`, according to the kept tokens;
    /// empty if it is not kept.
    [[nodiscard]] virtual Fingerprint replaced_fingerprint(const Fingerprint& delivered) = 0;

    /// Writes the API's token over the content of the token file. Fails with `conflict` if the API
    /// by now has another token than `expected`.
    virtual Task<Result<void>> deliver_again(Fingerprint expected) = 0;
};

}  // namespace keyturn
