#include "executor/unit_claims.hpp"
#include "executor/unit_inspection.hpp"
#include "model/installed_names.hpp"
#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

/// The shell alone, with real files: how it performs one action.
class ExecutorTest : public TunnelAgentTest {
  protected:
    template <class Asked>
    Result<typename Asked::Value> ask(Asked question) {
        const Action action = std::move(question);
        std::optional<Answer> answer;
        boost::asio::co_spawn(context_, executor_.perform(action),
                              [&](std::exception_ptr failure, Answer given) {
                                  EXPECT_FALSE(failure);
                                  answer = std::move(given);
                              });
        clock_.run_until([&] { return answer.has_value(); }, 1min);
        return std::move(std::get<Answered<Asked>>(*answer).result);
    }

    PrepareSecret::Value prepare(std::string superseded = "") {
        const auto prepared = ask(PrepareSecret{std::move(superseded)});
        EXPECT_TRUE(prepared);
        return *prepared;
    }

    /// The kept tokens: old and new.
    std::pair<Fingerprint, Fingerprint> kept() {
        const auto pending = tokens_->pending("web");
        EXPECT_TRUE(pending && *pending);
        return {fingerprint_of(*decode_token((*pending)->old_token.reveal())),
                fingerprint_of(*decode_token((*pending)->new_token.reveal()))};
    }

    Fingerprint delivered() { return *executor_.delivered_fingerprint(); }

    /// Other tunnels of the same policy.
    void claim(const std::string& tunnel, std::vector<std::string> units) {
        others_.push_back(policy_);
        others_.back().name = tunnel;
        others_.back().units = std::move(units);
        claims_.take(others_);
    }

    TunnelState state_;
    std::vector<TunnelPolicy> others_;
    UnitClaims claims_;
    RotationExecutor executor_{policy_, state_,
                               Dependencies{clock_, *host_, *host_, *host_, *tokens_, *states_,
                                            *random_, budget_, &claims_}};
};

TEST_F(ExecutorTest, TakesBackByExchangingTheKeptTokens) {
    const auto prepared = prepare();
    ASSERT_TRUE(ask(CommitSecret{}));
    ASSERT_TRUE(ask(DeliverToken{}));
    for (int again = 0; again < 2; ++again) {
        ASSERT_TRUE(ask(TakeBackSecret{prepared.old_fingerprint}));
        EXPECT_EQ(kept(), std::pair(prepared.new_fingerprint, prepared.old_fingerprint)) << again;
    }
    EXPECT_EQ(delivered(), prepared.new_fingerprint) << "it is staged and not delivered";
    ASSERT_TRUE(ask(CommitSecret{}));
    ASSERT_TRUE(ask(DeliverToken{}));
    EXPECT_EQ(delivered(), prepared.old_fingerprint);
    EXPECT_EQ(ask(ReadToken{})->holder, ReadToken::Holder::ours);
    EXPECT_EQ(tokens_->pending("web")->value().rotation_id, prepared.rotation_id);
}

TEST_F(ExecutorTest, TakesNothingBackThatIsNotKept) {
    EXPECT_EQ(ask(TakeBackSecret{"0123456789abcdef"}).error().fault, Fault::missing);
    const auto prepared = prepare();
    const auto other = ask(TakeBackSecret{"0123456789abcdef"});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().fault, Fault::missing);
    EXPECT_THAT(other.error().text, HasSubstr("keyturnd no longer has the old token"));
    EXPECT_EQ(kept(), std::pair(prepared.old_fingerprint, prepared.new_fingerprint));
}

TEST_F(ExecutorTest, WipesTheOldSecretAndKeepsTheNewOne) {
    EXPECT_EQ(ask(WipeOldSecret{}).error().fault, Fault::missing);
    const auto prepared = prepare();
    for (int again = 0; again < 2; ++again) {
        ASSERT_TRUE(ask(WipeOldSecret{}));
        EXPECT_EQ(kept(), std::pair(prepared.new_fingerprint, prepared.new_fingerprint));
    }
    EXPECT_EQ(executor_.kept_rotation(), prepared.rotation_id);
    EXPECT_EQ(ask(ReadToken{})->holder, ReadToken::Holder::other) << "the old token is unknown now";
}

TEST_F(ExecutorTest, MakesTheSameSecretForOneRotationAndAnotherForOneThatSupersedesIt) {
    const auto first = prepare();
    EXPECT_EQ(prepare().new_fingerprint, first.new_fingerprint);
    const auto second = prepare(first.rotation_id);
    EXPECT_NE(second.new_fingerprint, first.new_fingerprint);
    EXPECT_NE(second.rotation_id, first.rotation_id);
    EXPECT_EQ(second.old_fingerprint, first.old_fingerprint);
    EXPECT_EQ(prepare(first.rotation_id).new_fingerprint, second.new_fingerprint)
        << "after a crash the same again";
}

TEST_F(ExecutorTest, SupersedesASecretThatTheApiHoldsAlready) {
    const auto first = prepare();
    ASSERT_TRUE(ask(CommitSecret{}));
    const auto second = prepare(first.rotation_id);
    EXPECT_EQ(second.old_fingerprint, first.new_fingerprint);
    EXPECT_NE(second.new_fingerprint, first.new_fingerprint);
}

/// The secret was sent and the API is behind: nobody else has the secret that it holds.
TEST_F(ExecutorTest, KeepsTheSecretThatItSupersedesWhereTheApiIsBehind) {
    const std::string old_text = host_->api_token_text();
    const auto first = prepare();
    ASSERT_TRUE(ask(CommitSecret{}));
    host_->api_token_shown = old_text;
    const auto second = prepare(first.rotation_id);
    EXPECT_EQ(second.old_fingerprint, first.old_fingerprint) << "as the API shows it";
    EXPECT_EQ(kept(), std::pair(first.new_fingerprint, second.new_fingerprint));
    EXPECT_EQ(prepare(first.rotation_id).new_fingerprint, second.new_fingerprint);
}

/// A revert has not sent its PATCH yet.
TEST_F(ExecutorTest, KeepsTheSecretThatTheApiHoldsWhereARevertIsSuperseded) {
    const auto first = prepare();
    ASSERT_TRUE(ask(CommitSecret{}));
    ASSERT_TRUE(ask(TakeBackSecret{first.old_fingerprint}));
    ASSERT_TRUE(ask(DeliverToken{}));
    const auto second = prepare(first.rotation_id);
    EXPECT_EQ(second.old_fingerprint, first.new_fingerprint);
    EXPECT_EQ(kept(), std::pair(first.new_fingerprint, second.new_fingerprint));
}

/// The record was lost, or restored from an older backup.
TEST_F(ExecutorTest, MakesAnotherSecretThanOneWhoseOldTokenWasWiped) {
    const auto first = prepare();
    ASSERT_TRUE(ask(CommitSecret{}));
    ASSERT_TRUE(ask(DeliverToken{}));
    ASSERT_TRUE(ask(WipeOldSecret{}));
    const auto second = prepare();
    EXPECT_EQ(second.old_fingerprint, first.new_fingerprint);
    EXPECT_NE(second.new_fingerprint, first.new_fingerprint);
}

TEST_F(ExecutorTest, DropsOneConnectorOrAll) {
    host_->strangers = {Connector{"thief", "", "", "", 1}, Connector{"other", "", "", "", 1}};
    ASSERT_TRUE(ask(EvictConnector{"thief"}));
    ASSERT_TRUE(ask(EvictConnector{}));
    EXPECT_THAT(host_->evicted, ElementsAre("thief", ""));
    host_->api_down = no_write;
    EXPECT_EQ(ask(EvictConnector{"thief"}).error().fault, Fault::denied);
}

TEST_F(ExecutorTest, StopsAUnitUnlessWhatAllowedItIsOld) {
    host_->start_units();
    StopUnit question;
    question.unit = policy_.units[0];
    question.not_after = clock_.boot_now() - 1ms;
    EXPECT_EQ(ask(question).error().fault, Fault::busy);
    EXPECT_EQ(host_->units.at(question.unit).state.active_state, "active");
    question.not_after = clock_.boot_now();
    EXPECT_EQ(*ask(question), JobResult::done);
    EXPECT_EQ(host_->units.at(question.unit).state.active_state, "inactive");
}

TEST_F(ExecutorTest, FindsTheExtraUnitWhereRootHasMadeOne) {
    EXPECT_EQ(ask(InspectUnits{})->size(), 2U) << "there is none";
    FakeHost::Unit& extra = host_->units[surge_unit_of("web")];
    extra.state.name = surge_unit_of("web");
    extra.state.load_state = "not-found";
    EXPECT_EQ(ask(InspectUnits{})->size(), 2U);
    extra.state.load_state = "loaded";
    const auto units = ask(InspectUnits{});
    ASSERT_EQ(units->size(), 3U);
    EXPECT_EQ(units->back().name, "keyturn-surge@web.service");
    EXPECT_TRUE(units->back().surge);
    EXPECT_FALSE(units->front().surge);
    policy_.rollout.surge = SurgeUse::never;
    EXPECT_EQ(ask(InspectUnits{})->size(), 2U);
}

TEST_F(ExecutorTest, PassesOverWhatAGlobTakesInByChance) {
    host_->start_units();
    const std::string updater = "cloudflared-update.service";
    FakeHost::Unit& unit = host_->units[updater];
    unit.state.name = updater;
    unit.state.load_state = "loaded";
    unit.state.active_state = "inactive";
    unit.settings.emplace();
    unit.settings->exec_start = {{"/usr/bin/cloudflared", "update"}};
    const std::vector<std::string> own = policy_.units;
    host_->globs["cloudflared*"] = {own[0], updater};
    policy_.units = {"cloudflared*"};
    const auto passed_over = [&] { return ask(InspectUnits{})->at(1); };
    EXPECT_TRUE(passed_over().passed_over);
    EXPECT_FALSE(passed_over().problem);
    EXPECT_THAT(passed_over().findings, ElementsAre(HasSubstr("keyturnd skips it")));
    EXPECT_FALSE(ask(InspectUnits{})->front().passed_over);

    // The process decides: a script that has started a connector, or may have.
    unit.state = host_->units.at(own[0]).state;
    unit.state.name = updater;
    EXPECT_FALSE(passed_over().passed_over);
    EXPECT_TRUE(passed_over().problem);
    unit.unready = no_answer;
    EXPECT_FALSE(passed_over().passed_over) << "unknown is not zero";
    unit.unready = Error{Fault::missing, "nothing listens", {}};
    EXPECT_TRUE(passed_over().passed_over);
    unit.settings->exec_start = {{"/bin/sh", "-c", "exec cloudflared tunnel run"}};
    EXPECT_FALSE(passed_over().passed_over) << "its command says so";

    unit.settings->exec_start = {{"/usr/bin/cloudflared", "update"}};
    policy_.units = {own[0], updater};
    EXPECT_FALSE(passed_over().passed_over) << "the policy names it";
    EXPECT_TRUE(passed_over().problem);
}

TEST_F(ExecutorTest, TellsWhatTheDiskSaysOfAUnit) {
    host_->start_units();
    const std::string unit = policy_.units[0];
    host_->files_of[unit].unseen = {"/root/.cloudflared/config.yml"};
    const auto first = [&] { return ask(InspectUnits{})->front(); };
    ASSERT_TRUE(first().problem);
    EXPECT_THAT(*first().problem, HasSubstr("cannot read /root/"));
    host_->files_of[unit].configuration.path = "/etc/cloudflared/config.yml";
    host_->files_of[unit].configuration.token = true;
    ASSERT_TRUE(first().problem);
    EXPECT_THAT(*first().problem, HasSubstr("/etc/cloudflared/config.yml sets `token:`"));
    EXPECT_TRUE(first().elsewhere);
    host_->units.at(unit).settings.emplace();
    host_->units.at(unit).settings->exec_start = {
        {"cloudflared", "tunnel", "run", "--token", "", "00000000-0000-4000-8000-000000000001"}};
    EXPECT_THAT(*first().problem, HasSubstr("names the tunnel 00000000-0000-4000"));
    EXPECT_FALSE(first().elsewhere);
    EXPECT_THAT(*first().problem, Not(HasSubstr("mkdir")));
}

TEST_F(ExecutorTest, SamplesUnitsSideBySide) {
    host_->start_units();
    for (const std::string& name : policy_.units) host_->units.at(name).ready_takes = 2s;
    first().ready_takes = 3s;
    const BootTime begin = clock_.boot_now();
    SampleUnits question;
    question.names = policy_.units;
    const auto samples = ask(question);
    EXPECT_EQ(clock_.boot_now() - begin, 3s);
    ASSERT_EQ(samples->size(), 2U);
    EXPECT_EQ(samples->front().state.name, policy_.units[0]) << "in the order of the names";
    EXPECT_EQ(samples->back().state.name, policy_.units[1]);
    EXPECT_NE(samples->front().readiness->connector_id, samples->back().readiness->connector_id);
}

TEST_F(ExecutorTest, AsksForEveryVerbOfEveryUnit) {
    FakeHost::Unit& extra = host_->units[surge_unit_of("web")];
    extra.state.load_state = "loaded";
    const auto units = ask(InspectUnits{});
    ASSERT_TRUE(units);
    for (const InspectUnits::Unit& unit : *units) EXPECT_FALSE(unit.not_allowed);
    const std::string one = policy_.units[0];
    const std::string two = policy_.units[1];
    using Asked = std::pair<std::string, UnitVerb>;
    EXPECT_THAT(host_->questions,
                ElementsAre(Asked(one, UnitVerb::try_restart), Asked(one, UnitVerb::restart),
                            Asked(two, UnitVerb::try_restart), Asked(two, UnitVerb::restart),
                            Asked(surge_unit_of("web"), UnitVerb::try_restart),
                            Asked(surge_unit_of("web"), UnitVerb::restart),
                            Asked(surge_unit_of("web"), UnitVerb::stop)));
}

TEST_F(ExecutorTest, TellsOneRuleForAllThatPolkitRefuses) {
    host_->permissions[policy_.units[0]] = Permission::refused;
    host_->permissions[policy_.units[1]] = Permission::refused;
    const auto units = ask(InspectUnits{});
    ASSERT_TRUE(units);
    EXPECT_THAT(*units->front().not_allowed, HasSubstr("polkit does not allow user "));
    EXPECT_THAT(*units->front().not_allowed, Not(HasSubstr("addRule")));
    EXPECT_THAT(*units->back().not_allowed, HasSubstr("[\"" + a + "\", \"" + b + "\"]"));
    host_->permissions[policy_.units[1]] = Permission::not_by_hand;
    const auto other = ask(InspectUnits{});
    EXPECT_THAT(*other->front().not_allowed, HasSubstr("[\"" + a + "\"]"));
    EXPECT_THAT(*other->back().not_allowed, HasSubstr("remove RefuseManualStart="));
}

TEST_F(ExecutorTest, APolkitThatIsSilentIsAnErrorOnlyWhereItsAnswerIsNeeded) {
    host_->polkit_gone = Error{Fault::busy, "systemd cannot ask polkit", {}};
    EXPECT_EQ(ask(InspectUnits{}).error().fault, Fault::busy);
    host_->questions.clear();
    InspectUnits urgent;
    urgent.must_know = false;
    const auto units = ask(urgent);
    ASSERT_TRUE(units);
    for (const InspectUnits::Unit& unit : *units)
        EXPECT_EQ(unit.not_allowed, "systemd cannot ask polkit");
    EXPECT_EQ(host_->questions.size(), 1U) << "nobody waits for it twice";
}

TEST_F(ExecutorTest, OneUnitByTwoNamesIsOneUnitAndAProblem) {
    host_->aliases["tunnel.service"] = policy_.units[0];
    policy_.units = {"tunnel.service"};
    auto units = ask(InspectUnits{});
    ASSERT_EQ(units->size(), 1U);
    EXPECT_EQ(units->front().name, a) << "by its Id";
    EXPECT_FALSE(units->front().problem);
    policy_.units.emplace_back(a);
    units = ask(InspectUnits{});
    ASSERT_EQ(units->size(), 1U);
    EXPECT_THAT(
        *units->front().problem,
        HasSubstr("this unit more than once, as tunnel.service and as cloudflared-web@1.service"));
}

TEST_F(ExecutorTest, AUnitThatAnotherTunnelMeansIsAProblem) {
    host_->aliases["tunnel.service"] = policy_.units[0];
    claim("web", policy_.units);  // Its own patterns do not conflict.
    claim("shop", {"shop.service", "tunnel.service"});
    claim("all", {"cloudflared-web@2*"});
    const auto units = ask(InspectUnits{});
    ASSERT_TRUE(units);
    EXPECT_THAT(*units->front().problem, HasSubstr("tunnel shop also claims this unit, by tunnel"));
    EXPECT_FALSE(units->front().elsewhere);
    EXPECT_THAT(*units->back().problem, HasSubstr("tunnel all also claims this unit, by cloudfl"));
    claims_.take({policy_});
    EXPECT_FALSE(ask(InspectUnits{})->front().problem);
}

TEST_F(ExecutorTest, CountsNoRevertedRotationAsDone) {
    const auto prepared = prepare();
    Conclude conclude;
    conclude.entry.outcome = Outcome::reverted;
    conclude.entry.old_fingerprint = prepared.new_fingerprint;
    conclude.entry.new_fingerprint = prepared.old_fingerprint;
    conclude.entry.ended = clock_.wall_now();
    ASSERT_TRUE(ask(conclude));
    EXPECT_FALSE(state_.last_done);
    EXPECT_FALSE(state_.rotation);
    EXPECT_THAT(state_.retired, ElementsAre(prepared.new_fingerprint));
}

}  // namespace
}  // namespace keyturn
