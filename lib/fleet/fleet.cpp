#include "fleet/fleet.hpp"

#include "clock/clock.hpp"
#include "fleet/document_text.hpp"
#include "token/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// How often a change is tried while other hosts keep being faster.
constexpr int attempts_max = 10;

constexpr std::size_t nonce_digits = 16;

/// Between two attempts: a random time, so that two hosts do not meet again.
constexpr Milliseconds pause_min{200};
constexpr Milliseconds pause_max{2000};

Error second_identity() {
    return Error{Fault::conflict, "another host has written what this host says about itself", {}};
}

}  // namespace

Fleet::Fleet(std::string tunnel_name, std::string tunnel_id, FleetKeys keys,
             FleetMemories remembered, FleetWorld world)
    : tunnel_name_(std::move(tunnel_name)),
      tunnel_id_(std::move(tunnel_id)),
      keys_(std::move(keys)),
      remembered_(std::move(remembered)),
      world_(world) {}

Task<Result<FleetDocument>> Fleet::look() {
    const Baton::Holding holding = co_await baton_.take();
    const Result<void> seen = co_await read();
    if (!seen) co_return seen.error();
    co_return *seen_;
}

Task<Result<void>> Fleet::read() {
    const BootTime sent = world_.clock.boot_now();
    auto reading = co_await world_.object.read(version_);
    if (!reading) co_return reading.error();
    switch (reading->found) {
        case ObjectReading::Found::absent:
            co_return Error{Fault::missing,
                            "the shared object is gone: nothing is restarted until it is there "
                            "again (keyturnctl fleet init on one host, then join on the others)",
                            {}};
        case ObjectReading::Found::unchanged:
            seen_at_ = sent;
            outdated_ = false;
            co_return Result<void>();
        case ObjectReading::Found::present: break;
    }
    auto document = understand(reading->text);
    if (!document) co_return document.error();
    take_in(std::move(*document), std::move(reading->version), sent);
    co_return Result<void>();
}

Result<FleetDocument> Fleet::understand(const std::string& text) const {
    const ExpectedFleet expected{tunnel_id_, remembered_.fleet};
    auto document = read_fleet_text(text, keys_, expected);
    if (!document) return document;
    if (document->rev < remembered_.rev) {
        return Error{
            Fault::invalid,
            fmt::format("somebody has put the shared object back: it has rev {}, and rev {} "
                        "was there before (`keyturnctl fleet accept {} --rev {}`)",
                        document->rev, remembered_.rev, tunnel_name_, document->rev),
            {}};
    }
    return document;
}

void Fleet::take_in(FleetDocument document, ObjectVersion version, BootTime sent) {
    seen_ = std::move(document);
    version_ = std::move(version);
    seen_at_ = sent;
    outdated_ = false;
    check_mark();
    if (seen_->rev == remembered_.rev && remembered_.mark_pending.empty()) return;
    remembered_.rev = seen_->rev;
    remember();
}

/// Every report of this host has a mark that its disk knew before.
void Fleet::check_mark() {
    const auto own = seen_->members.find(remembered_.host);
    if (own == seen_->members.end() || own->second.install != remembered_.install) return;
    const std::string& mark = own->second.mark;
    if (!remembered_.mark_pending.empty() && mark == remembered_.mark_pending) {
        remembered_.mark = mark;
        remembered_.mark_pending.clear();
        return;
    }
    if (mark != remembered_.mark) clashes_ = true;
}

/// If this write fails, only a rollback together with a crash stays unnoticed.
void Fleet::remember() {
    static_cast<void>(world_.memory.save(tunnel_name_, remembered_));
}

Task<Result<FleetDocument>> Fleet::change(FleetTransition transition, bool own) {
    const Baton::Holding holding = co_await baton_.take();
    auto changed = co_await try_change(std::move(transition), own);
    co_return changed;
}

/// A refusal of the transition counts only if it is about the newest content.
Task<Result<FleetDocument>> Fleet::try_change(FleetTransition transition, bool own) {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const bool newest = outdated_;
        if (outdated_) {
            const Result<void> seen = co_await read();
            if (!seen) co_return seen.error();
        }
        // The other one goes on undisturbed, if there are two.
        if (own && clashes_) co_return second_identity();
        const Result<bool> done = co_await try_once(transition, own);
        if (done && *done) co_return *seen_;
        if (!done && (newest || outdated_)) co_return done.error();
        outdated_ = true;
    }
    co_return Error{Fault::busy, "other hosts keep changing the shared object", {}};
}

/// Returns false if somebody else was faster, or may have been.
Task<Result<bool>> Fleet::try_once(FleetTransition transition, bool own) {
    FleetDocument wanted = *seen_;
    const Result<void> allowed = transition(wanted);
    if (!allowed) co_return allowed.error();
    if (wanted == *seen_) co_return true;
    auto nonce = random_hex(world_.random, nonce_digits);
    if (!nonce) co_return nonce.error();
    wanted.nonce = *nonce;
    wanted.writer = remembered_.host;
    ++wanted.rev;
    const auto entry = wanted.members.find(remembered_.host);
    if (own && entry != wanted.members.end()) {
        // A write before this one, with the pending mark, may still take effect.
        if (remembered_.mark_pending.empty()) remembered_.mark_pending = *nonce;
        entry->second.mark = remembered_.mark_pending;
        const auto kept = world_.memory.save(tunnel_name_, remembered_);
        if (!kept) co_return kept.error();
    }
    auto text = write_fleet_text(wanted, keys_);
    if (!text) co_return text.error();
    const BootTime sent = world_.clock.boot_now();
    outdated_ = true;  // Also if this coroutine ends here.
    auto swapped = co_await world_.object.swap(version_, std::move(*text));
    if (swapped) {
        take_in(std::move(wanted), std::move(*swapped), sent);
        co_return true;
    }
    const Error error = swapped.error();
    if (error.fault != Fault::conflict && error.fault != Fault::ambiguous &&
        error.fault != Fault::busy) {
        co_return error;
    }
    co_await wait_a_little(*nonce, error.retry_after);
    if (error.fault != Fault::ambiguous) co_return false;
    const Result<void> seen = co_await read();
    if (!seen) co_return with_context("it is unknown whether a change happened", seen.error());
    co_return seen_->nonce == *nonce;
}

Task<> Fleet::wait_a_little(std::string nonce, Milliseconds at_least) {
    const auto share =
        std::hash<std::string>()(nonce) % static_cast<std::size_t>((pause_max - pause_min).count());
    const Milliseconds pause = pause_min + Milliseconds{static_cast<int>(share)};
    const BootTime until = world_.clock.boot_now() + std::max(pause, at_least);
    co_await world_.clock.sleep_until(until);
}

Task<> Fleet::wait_for_change(BootTime until) {
    co_await world_.object.wait_for_change(version_, until);
}

}  // namespace keyturn
