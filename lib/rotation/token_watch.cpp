#include "rotation/token_watch.hpp"

#include "rotation/token_handover.hpp"

namespace keyturn {

Script<bool> TokenWatch::still_ours() {
    if (std::exchange(just_confirmed_, false)) co_return true;
    const ReadToken::Value token =
        co_await insist<ReadToken>("cannot check whether the delivered token is still right");
    asked_ = now_;
    if (token.holder == ReadToken::Holder::ours) {
        was_ours_ = true;
        co_return true;
    }
    co_await follow();
    co_return false;
}

Script<bool> TokenWatch::follow_if_changed() {
    const auto token = co_await ask<ReadToken>();
    asked_ = now_;
    if (!token || token->holder == ReadToken::Holder::ours) co_return false;
    co_await follow();
    co_return true;
}

/// Delivers and confirms the token that the API has by now, and starts the roll-out over. If it has
/// not been ours since keyturnd started, the record may be an outdated one: then it is unknown on
/// which token its units have been started since, and by whom.
Script<> TokenWatch::follow() {
    waited_for_it();
    if (record_.compromised() && !was_ours_) record_.begin_roll_out_anew();
    co_await handover_.confirm(false);
    was_ours_ = true;
    co_await save(Phase::roll);
}

Script<Ending> TokenWatch::resume() {
    co_await deliver_again();
    co_return Ending::go_on(ChapterName::window);
}

Script<> TokenWatch::deliver_again() {
    const bool ours = co_await still_ours();
    if (ours) co_await handover_.deliver();
}

}  // namespace keyturn
