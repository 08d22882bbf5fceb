#include "rotation/story.hpp"

#include <utility>

namespace keyturn {

Story::Story(RotationContext& context) : context_(context) {}

/// The table of contents: tells one chapter after the other; each ending selects the next.
Script<> Story::tell() {
    ChapterName chapter = ChapterName::beginning;
    Ending ending = Ending::go_on(chapter);
    while (ending.kind != Ending::Kind::done) {
        chapter = chapter_after(ending, chapter);
        Script<Ending> script = open(chapter, std::move(ending));
        Reading reading(context_, std::move(script));
        ending = co_await reading;
    }
}

ChapterName Story::chapter_after(const Ending& ending, ChapterName told) const {
    const RolloutPolicy& policy = context_.inputs.policy.rollout;
    const bool goes_back =
        ending.kind == Ending::Kind::held && ending.reason == HoldReason::verification_failed &&
        policy.on_failure == OnFailure::revert && !context_.record.keeps_token() &&
        can_revert(context_.inputs, context_.record);
    if (goes_back) return ChapterName::revert;
    // A roll-out that was already under way has waited for the window before.
    const bool in_the_middle =
        ending.kind == Ending::Kind::start_over && told == ChapterName::roll_out;
    return in_the_middle ? ChapterName::roll_out : ending.next;
}

Script<Ending> Story::open(ChapterName chapter, Ending before) {
    switch (chapter) {
        case ChapterName::beginning: return beginning_.tell();
        case ChapterName::preparation: return preparation_.tell();
        case ChapterName::commit: return commit_.tell();
        case ChapterName::bring_in: return bring_in_.tell();
        case ChapterName::take_over: return take_over_.tell();
        case ChapterName::compromise: return compromise_.tell();
        case ChapterName::revert: return revert_.tell(std::move(before));
        case ChapterName::resumption: return token_.resume();
        case ChapterName::window: return window_.tell();
        case ChapterName::roll_out: return roll_out_.tell();
        case ChapterName::finish: return finish_.tell();
        case ChapterName::conclusion: return conclusion_.conclude();
        case ChapterName::hold: return standstill_.hold(std::move(before));
        case ChapterName::refusal: break;
    }
    return conclusion_.refuse(std::move(before.text));
}

}  // namespace keyturn
