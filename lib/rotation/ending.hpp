#pragma once

#include "rotation/record.hpp"

#include <string>
#include <utility>

namespace keyturn {

/// The chapters of a rotation; story.cpp tells in which order they come.
enum class ChapterName {
    beginning,    ///< What the record has left open.
    preparation,  ///< Look at everything, make the secret.
    commit,       ///< Give it to Cloudflare, put it into the files.
    take_over,    ///< Somebody else changed the secret: theirs is the truth.
    compromise,   ///< The token is in wrong hands.
    revert,       ///< Back to the token from before.
    resumption,   ///< The token of the record is delivered once more.
    window,       ///< The units may have to wait for a window.
    roll_out,     ///< The units one by one, batch by batch.
    finish,       ///< Cloudflare has to list ours alone.
    conclusion,   ///< Wipe the secrets, write the history.
    hold,         ///< A person has to decide.
    refusal,      ///< Nothing was touched, and nothing is.
};

/// How a chapter ended.
struct Ending {
    enum class Kind {
        go_on,       ///< With `next`.
        held,        ///< Because of `reason`: a person has to decide, or it goes back.
        refused,     ///< Before anything was touched.
        go_back,     ///< To the token from before.
        start_over,  ///< The token changed underneath: no unit is on the one that is delivered now.
        done,        ///< Nothing is left to do.
    };

    Kind kind = Kind::done;
    ChapterName next = ChapterName::beginning;
    HoldReason reason = HoldReason::invalid;  ///< Of a hold.
    std::string text;  ///< Why it is held or refused, or goes back; for people.
    std::string unit;  ///< Of a hold; empty when no single unit is meant.

    [[nodiscard]] static Ending go_on(ChapterName next) { return {Kind::go_on, next, {}, {}, {}}; }
    [[nodiscard]] static Ending held(HoldReason reason, std::string text, std::string unit) {
        return {Kind::held, ChapterName::hold, reason, std::move(text), std::move(unit)};
    }
    [[nodiscard]] static Ending refused(std::string text) {
        return {Kind::refused, ChapterName::refusal, {}, std::move(text), {}};
    }
    [[nodiscard]] static Ending go_back(std::string why) {
        return {Kind::go_back, ChapterName::revert, {}, std::move(why), {}};
    }
    [[nodiscard]] static Ending start_over() {
        return {Kind::start_over, ChapterName::window, {}, {}, {}};
    }
};

}  // namespace keyturn
