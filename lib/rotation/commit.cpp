#include "rotation/commit.hpp"

#include "rotation/eviction.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"

namespace keyturn {

Script<Ending> Commit::tell() {
    co_await commit();
    co_return Ending::go_on(ChapterName::window);
}

Script<> Commit::commit() {
    const bool resumed = record_.phase == Phase::commit;
    // This single record covers both the PATCH and the delivery, so that nothing comes between
    // them.
    if (!resumed) {
        co_await stand_still();
        if (context_.revert_wanted) co_await obey();
        // Where several hosts share the tunnel, this fails until each of them has the token.
        std::string purpose = "cannot change the secret at Cloudflare yet";
        co_await enter(Phase::commit, std::move(purpose));
    }
    const bool answered = co_await handover_.send(resumed);
    co_await handover_.deliver();
    // Do not let a thief stay connected because the API's answer is outdated.
    if (record_.compromised() && !record_.evicted) co_await eviction_.evict();
    co_await handover_.confirm(answered);
    token_.note_confirmed();
}

}  // namespace keyturn
