#pragma once

#include "rotation/record.hpp"

#include <string>
#include <utility>

namespace keyturn {

/// The chapters of a rotation. story.cpp has their order.
enum class ChapterName {
    beginning,    ///< Finds out what the record has left open.
    preparation,  ///< Checks everything and makes the secret.
    commit,       ///< Sends the secret to Cloudflare and puts the token into the file.
    bring_in,     ///< Examines units that root has moved onto the token file or off it.
    take_over,    ///< Takes over a secret that somebody else set.
    compromise,   ///< Replaces a compromised token.
    revert,       ///< Goes back to the old token.
    resumption,   ///< Delivers the record's token once more.
    window,       ///< Waits for a window, if the units have to.
    roll_out,     ///< Restarts the units one by one, batch by batch.
    finish,       ///< Waits until Cloudflare lists only our connectors.
    conclusion,   ///< Wipes the secrets and writes the history.
    hold,         ///< Waits for a person to decide.
    refusal,      ///< Ends a rotation that has changed nothing.
};

/// How a chapter ended.
struct Ending {
    enum class Kind {
        go_on,       ///< Continues with `next`.
        held,        ///< Because of `reason`: a person has to decide, or the rotation reverts.
        refused,     ///< Before anything was changed.
        go_back,     ///< Reverts to the old token.
        start_over,  ///< The token has changed, so no unit runs on the delivered one.
        done,        ///< Nothing is left to do.
    };

    Kind kind = Kind::done;
    ChapterName next = ChapterName::beginning;
    HoldReason reason = HoldReason::invalid;  ///< Of a hold.
    std::string text;  ///< For people: why it is held or refused, or reverts.
    std::string unit;  ///< Of a hold; empty if no single unit is meant.

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
