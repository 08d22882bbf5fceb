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
    // This one record covers the PATCH and the delivery, so that nothing stands between them.
    if (!resumed) {
        co_await stand_still();
        if (context_.revert_wanted) co_await obey();
        co_await save(Phase::commit);
    }
    const bool answered = co_await handover_.send(resumed);
    co_await handover_.deliver();
    // A thief does not stay attached for the sake of an answer that is behind.
    if (record_.compromised() && !record_.evicted) co_await eviction_.evict();
    co_await handover_.confirm(answered);
    token_.note_confirmed();
}

}  // namespace keyturn
