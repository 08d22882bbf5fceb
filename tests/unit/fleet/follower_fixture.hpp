#pragma once

#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"
#include "fleet/follower.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <type_traits>

namespace keyturn {

/// What became of a change: the words of `FollowerTest::round`.
inline std::string word_for(const FleetDocument& before, const FleetDocument& after,
                            const std::string& host) {
    const auto state_in = [](const FleetDocument& document) {
        return document.turns.empty() ? TurnState::granted : document.turns[0].state;
    };
    if (state_in(before) != state_in(after)) {
        if (state_in(after) == TurnState::taken) return "take";
        return "end";
    }
    return before.members.at(host) == after.members.at(host) ? "change nothing" : "report";
}

/// host-2 in a fleet that host-1 leads. Everything that its follower asks for is done, and kept as
/// a word; a test says what fails.
class FollowerTest : public testing::Test {
  protected:
    FollowerTest() {
        own_.file = new_print;
        own_.units = {small_unit(2)};
        self_.entry = small_member(2);
        self_.entry.units.clear();
        begin();
    }

    /// As after a start, or a crash, of keyturnd.
    void begin() { follower_ = std::make_unique<Follower>(self_, FleetTimes(), now_); }

    /// One round: what it asks for until it rests. Then the rest is over.
    std::vector<std::string> round() {
        std::vector<std::string> words;
        while (words.empty() || words.back() != "rest") {
            words.push_back(
                std::visit([this](auto asked) { return perform(asked); }, follower_->action()));
        }
        words.pop_back();
        return words;
    }

    /// Rounds until this much time has passed; all their words but those of a round without news.
    std::vector<std::string> rounds(Milliseconds time) {
        std::vector<std::string> words;
        const BootTime end = now_ + time;
        while (now_ < end) {
            const std::vector<std::string> more = round();
            if (more != quiet) words.insert(words.end(), more.begin(), more.end());
        }
        return words;
    }

    /// The next action is done, and the follower dies with the one after it.
    void die_before(const std::string& word) {
        for (int i = 0; i < 20; ++i) {
            if (std::visit([this](const auto& asked) { return name(asked); },
                           follower_->action()) == word) {
                begin();
                return;
            }
            std::visit([this](auto asked) { return perform(asked); }, follower_->action());
        }
        ADD_FAILURE() << "it never asked for: " << word;
    }

    MemberUnit& unit() { return own_.units[0]; }
    FleetTurn& turn() { return document_.turns.at(0); }
    FleetMember& entry() { return document_.members.at("host-2"); }

    /// systemd, or a person, has started the unit again: it has another process.
    void restart_unit() { unit().seen = serving(process(++processes_), "connector-new", a); }

    void lose_connections() { unit().seen.readiness->connections = 0; }

    static std::string name(const LookAtObject&) { return "look"; }
    static std::string name(const ChangeObject&) { return "change"; }
    static std::string name(const SeeOwnHost& wish) { return wish.inspect ? "inspect" : "see"; }
    static std::string name(const StageToken&) { return "stage"; }
    static std::string name(const ReplaceToken&) { return "replace"; }
    static std::string name(const RestartOwnUnit&) { return "restart"; }
    static std::string name(const RestAWhile&) { return "rest"; }

    /// Does it and returns a word for it.
    template <class Asked>
    std::string perform(const Asked& wish) {
        std::string word = name(wish);
        const auto fault = faults_.find(word);
        using Answering = Answered<Asked>;
        if (fault != faults_.end()) {
            const Error error = fault->second;
            if constexpr (!std::is_same_v<Asked, RestAWhile>) {
                follower_->answer(Answering{error}, now_);
            }
            return word + " fails";
        }
        auto result = act(wish, word);
        follower_->answer(Answering{std::move(result)}, now_);
        return word;
    }

    Result<FleetDocument> act(const LookAtObject&, std::string&) { return document_; }

    Result<FleetDocument> act(const ChangeObject& wish, std::string& word) {
        const auto others = std::exchange(before_change_, {});
        if (others) others();
        FleetDocument changed = document_;
        const Result<void> applied = wish.transition(changed);
        word = applied ? word_for(document_, changed, "host-2") : "refused";
        if (!applied) return applied.error();
        document_ = changed;
        return document_;
    }

    Result<SeeOwnHost::Value> act(const SeeOwnHost&, std::string&) { return own_; }

    Result<void> act(const StageToken& wish, std::string&) {
        EXPECT_EQ(wish.rotation_id, fleet_rotation);
        return {};
    }

    Result<void> act(const ReplaceToken& wish, std::string&) {
        const auto others = std::exchange(before_replacing_, {});
        if (others) others();
        own_.file = wish.token;
        return {};
    }

    Result<RestartResult> act(const RestartOwnUnit& wish, std::string&) {
        last_restart_ = wish;
        now_ += 5s;
        restart_unit();
        ++restarts_;
        return RestartResult(JobResult::done);
    }

    Result<void> act(const RestAWhile& wish, std::string&) {
        rested_ = wish.until - now_;
        now_ = std::max(now_, wish.until);
        return {};
    }

    inline static const std::vector<std::string> quiet{"look", "see"};

    FleetDocument document_ = rolling_fleet();
    SeeOwnHost::Value own_;
    FleetSelf self_{"host-2", {}};
    BootTime now_{1h};
    std::map<std::string, Error> faults_;     ///< By word; they last.
    std::function<void()> before_change_;     ///< Once: others are faster.
    std::function<void()> before_replacing_;  ///< Once.
    RestartOwnUnit last_restart_;
    int restarts_ = 0;
    int processes_ = 900;
    Milliseconds rested_{0};
    std::unique_ptr<Follower> follower_;
};

}  // namespace keyturn
