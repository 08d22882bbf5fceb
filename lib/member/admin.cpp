#include "member/admin.hpp"

#include "base/counted.hpp"
#include "fleet/document_text.hpp"
#include "fleet/operator_transitions.hpp"
#include "token/random.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

constexpr std::size_t id_digits = 32;
constexpr std::size_t mark_digits = 16;

const ObjectVersion none;

Error not_joined(const std::string& tunnel) {
    return Error{
        Fault::missing,
        fmt::format("this host has not joined the fleet of {0} (keyturnctl fleet join {0})",
                    tunnel)};
}

}  // namespace

FleetAdmin::FleetAdmin(const TunnelPolicy& policy, FleetWorld world, FleetKeys keys, FleetSelf self)
    : policy_(policy), world_(world), keys_(std::move(keys)), self_(std::move(self)) {}

Result<FleetMemories> FleetAdmin::fresh_memories(std::string fleet) {
    Result<std::string> install = random_hex(world_.random, id_digits);
    if (!install) return install.error();
    Result<std::string> mark = random_hex(world_.random, mark_digits);
    if (!mark) return mark.error();
    FleetMemories memories;
    memories.host = self_.host;
    memories.install = std::move(*install);
    memories.fleet = std::move(fleet);
    memories.mark = *mark;
    return memories;
}

FleetMember FleetAdmin::entry_of(const FleetMemories& memories) const {
    FleetMember entry = self_.entry;
    entry.install = memories.install;
    entry.mark = memories.mark;
    return entry;
}

Fleet FleetAdmin::fleet_of(FleetMemories memories) {
    return Fleet(policy_.name, policy_.tunnel, std::move(keys_), std::move(memories), world_);
}

/// A store that ignores conditions would let two hosts restart at once.
Task<Result<void>> FleetAdmin::prove_store() {
    const Result<std::string> scratch = random_hex(world_.random, mark_digits);
    if (!scratch) co_return scratch.error();
    co_return co_await world_.object.check_conditions(*scratch);
}

Task<Result<FleetDocument>> FleetAdmin::read() {
    const auto reading = co_await world_.object.read(none);
    if (!reading) co_return reading.error();
    if (reading->found == ObjectReading::Found::absent) {
        co_return Error{Fault::missing,
                        fmt::format("there is no fleet of {0} yet: `keyturnctl fleet init {0}` on "
                                    "one of its hosts makes it",
                                    policy_.name)};
    }
    const ExpectedFleet expected{policy_.tunnel};
    co_return read_fleet_text(reading->text, keys_, expected);
}

Task<Result<std::string>> FleetAdmin::init(Fingerprint token) {
    const auto proven = co_await prove_store();
    if (!proven) co_return proven.error();
    const Error present{
        Fault::conflict,
        fmt::format("there is a fleet of {0} already: `keyturnctl fleet join {0}`", policy_.name)};
    // Before this host forgets that it is a member.
    const auto reading = co_await world_.object.read(none);
    if (!reading) co_return reading.error();
    if (reading->found != ObjectReading::Found::absent) co_return present;
    const auto id = random_hex(world_.random, id_digits);
    if (!id) co_return id.error();
    const auto memories = fresh_memories(*id);
    if (!memories) co_return memories.error();
    FleetDocument document;
    document.fleet = *id;
    document.account = policy_.account;
    document.tunnel = policy_.tunnel;
    document.rev = 1;
    document.nonce = memories->mark;
    document.writer = self_.host;
    document.rules = policy_.rollout;
    document.deliver = token;
    document.members[self_.host] = entry_of(*memories);
    auto text = write_fleet_text(document, keys_);
    if (!text) co_return text.error();
    const auto kept = world_.memory.save(policy_.name, *memories);
    if (!kept) co_return kept.error();
    const auto made = co_await world_.object.swap(none, std::move(*text));
    if (!made && made.error().fault == Fault::conflict) co_return present;
    if (!made) co_return made.error();
    co_return fmt::format(
        "The fleet of {0} now exists, with {1}. On each other host, with the same "
        "policy and fleet key, run: sudo keyturnctl fleet join {0}",
        policy_.name, self_.host);
}

Task<Result<std::string>> FleetAdmin::join() {
    return enter(false);
}

Task<Result<std::string>> FleetAdmin::rejoin() {
    return enter(true);
}

Task<Result<std::string>> FleetAdmin::enter(bool again) {
    const auto proven = co_await prove_store();
    if (!proven) co_return proven.error();
    const auto document = co_await read();
    if (!document) co_return document.error();
    const auto present = world_.memory.load(policy_.name);
    if (!again && present && *present && (*present)->fleet == document->fleet &&
        document->members.contains((*present)->host)) {
        co_return fmt::format("This host is already {} in the fleet of {}", (*present)->host,
                              policy_.name);
    }
    const auto memories = fresh_memories(document->fleet);
    if (!memories) co_return memories.error();
    const FleetMember entry = entry_of(*memories);
    Fleet fleet = fleet_of(*memories);
    FleetTransition entering = [host = self_.host, entry, again](FleetDocument& changed) {
        return again ? keyturn::rejoin(changed, host, entry) : keyturn::join(changed, host, entry);
    };
    // A name that is taken is no reason to forget anything.
    FleetDocument tried = *document;
    const auto possible = entering(tried);
    if (!possible) co_return possible.error();
    const auto joined = co_await fleet.change(std::move(entering), false);
    if (!joined) co_return joined.error();
    const auto kept = world_.memory.save(policy_.name, *memories);
    if (!kept) {
        co_return with_context("this host has joined, but cannot remember it", kept.error());
    }
    co_return fmt::format("This host is now {} in the fleet of {}, which has {}", self_.host,
                          policy_.name, counted(joined->members.size(), "host"));
}

Task<Result<std::string>> FleetAdmin::decommission(std::string host) {
    const auto memories = world_.memory.load(policy_.name);
    if (!memories) co_return memories.error();
    if (!*memories) co_return not_joined(policy_.name);
    const auto document = co_await read();
    if (!document) co_return document.error();
    if (!document->members.contains(host)) {
        co_return Error{Fault::missing,
                        fmt::format("the fleet of {} has no host {}", policy_.name, host)};
    }
    Fleet fleet = fleet_of(**memories);
    FleetTransition removing = [host](FleetDocument& changed) {
        return keyturn::decommission(changed, host);
    };
    const auto removed = co_await fleet.change(std::move(removing), false);
    if (!removed) co_return removed.error();
    co_return fmt::format(
        "{} is not a host of {} any more. If its disk may be in other hands, "
        "rotate the token as compromised, and change the fleet key",
        host, policy_.name);
}

Task<Result<std::string>> FleetAdmin::accept(std::uint64_t rev) {
    auto memories = world_.memory.load(policy_.name);
    if (!memories) co_return memories.error();
    if (!*memories) co_return not_joined(policy_.name);
    const auto document = co_await read();
    if (!document) co_return document.error();
    // The other hosts may have gone on from there already.
    if (document->rev < rev) {
        co_return Error{Fault::conflict,
                        fmt::format("the shared object has rev {}, not {}", document->rev, rev)};
    }
    (*memories)->rev = rev;
    // What this host says about itself is from that time, too.
    const auto entry = document->members.find((*memories)->host);
    const bool ours =
        entry != document->members.end() && entry->second.install == (*memories)->install;
    if (ours) (*memories)->mark = entry->second.mark;
    if (ours) (*memories)->mark_pending.clear();
    const auto kept = world_.memory.save(policy_.name, **memories);
    if (!kept) co_return kept.error();
    co_return fmt::format(
        "This host goes on from rev {} of the shared object; do the same on each "
        "other host",
        rev);
}

}  // namespace keyturn
