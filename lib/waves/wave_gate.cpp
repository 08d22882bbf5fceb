#include "waves/wave_gate.hpp"

#include "waves/wave_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

WaveTimes WaveTimes::scaled(double factor) const {
    WaveTimes times = *this;
    for (Milliseconds* time : {&times.list, &times.list_per_host, &times.list_age, &times.steady,
                               &times.late, &times.first_host}) {
        *time = std::chrono::floor<Milliseconds>(*time * factor);
    }
    return times;
}

WaveGate::WaveGate(const TunnelPolicy& policy, std::size_t own, WaveTimes times,
                   WaveMemories memories)
    : policy_(policy), own_(own), times_(times), memories_(std::move(memories)) {}

void WaveGate::settle_on(const Fingerprint& delivered) {
    memories_ = WaveMemories();
    memories_.token = delivered;
}

void WaveGate::begin(const Fingerprint& delivered, Author author,
                     const std::vector<Connector>& listed, BootTime now) {
    memories_.overtaken = !memories_.done && author == Author::somebody_else;
    memories_.done = false;
    memories_.token = delivered;
    memories_.earlier.clear();
    memories_.settled = false;
    began_ = now;
    wait_.reset();
    look(listed, now);
}

/// A list may be behind. The first one that surely shows the moment of the delivery is the last one
/// whose connectors may have the old token.
void WaveGate::note_earlier(const std::vector<Connector>& listed, BootTime now) {
    std::vector<std::string>& earlier = memories_.earlier;
    for (const Connector& connector : listed) {
        const bool known = std::ranges::find(earlier, connector.id) != earlier.end();
        if (!known) earlier.push_back(connector.id);
    }
    memories_.settled = now - *began_ >= times_.late;
}

void WaveGate::look(const std::vector<Connector>& listed, BootTime now) {
    if (!began_) began_ = now;  // Before keyturnd started; how long before does not matter.
    if (!memories_.settled) note_earlier(listed, now);
    std::vector<Seen> seen(hosts().size());
    for (const Connector& connector : listed) {
        const auto host = host_of(hosts(), connector);
        if (!host) continue;
        const bool later =
            std::ranges::find(memories_.earlier, connector.id) == memories_.earlier.end();
        seen[*host].connectors.push_back(connector.id);
        seen[*host].later += later ? 1 : 0;
    }
    for (Seen& host : seen) std::ranges::sort(host.connectors);
    bool others_are_the_same = !seen_.empty();
    for (std::size_t i = 0; i < seen.size() && others_are_the_same; ++i) {
        others_are_the_same = i == own_ || seen[i] == seen_[i];
    }
    if (!others_are_the_same) steady_since_ = now;
    seen_ = std::move(seen);
    note_progress(now);
    listed_at_ = now;
}

/// While Cloudflare cannot be asked, the other hosts can do nothing either.
void WaveGate::note_progress(BootTime now) {
    if (!wait_) return;
    const bool was_blind = now - listed_at_ > 3 * list_interval();
    if (was_blind || progress() > wait_->progress) wait_.reset();
}

/// How many connectors of other hosts are listed, and how many have the new token. A unit that
/// crashes again and again makes none.
int WaveGate::progress() const {
    int sum = 0;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const int listed = static_cast<int>(seen_[i].connectors.size());
        if (i == own_) continue;
        sum += std::min(listed, hosts()[i].units) + std::min(seen_[i].later, hosts()[i].units);
    }
    return sum;
}

bool WaveGate::others_are_later() const {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        if (i != own_ && seen_[i].later < hosts()[i].units) return false;
    }
    return !seen_.empty();
}

Milliseconds WaveGate::list_interval() const {
    const auto count = static_cast<std::int64_t>(hosts().size());
    return std::max(times_.list, times_.list_per_host * count);
}

/// True if the other hosts have been the same for long enough. Without an order two hosts could
/// want to restart at the same moment. So each later one waits, from when it wants to, until it has
/// seen what an earlier one does.
bool WaveGate::steady() const {
    if (in_order()) return listed_at_ - steady_since_ >= times_.steady;
    const auto place = static_cast<std::int64_t>(own_);
    const BootTime since = std::max(steady_since_, asks_since_.value_or(listed_at_));
    return listed_at_ - since >= times_.steady + (times_.steady + list_interval()) * place;
}

bool WaveGate::wants_a_list(BootTime now) const {
    if (seen_.empty()) return true;
    const Milliseconds age = now - listed_at_;
    return age >= list_interval() || (age > times_.list_age && !why_not_yet(now));
}

WaveGate::Verdict WaveGate::may_restart(BootTime now) {
    if (memories_.overtaken) {
        return {
            Verdict::Kind::refused,
            {Fault::conflict,
             fmt::format("the token changed again before the units of this host had restarted "
                         "for the last change. If it was replaced as compromised on {}, run "
                         "`keyturnctl retry {}`. If not, two hosts or somebody else rotate this "
                         "tunnel: find out who. The new token is in the token file",
                         hosts().front().host, policy_.name),
             {}}};
    }
    if (!asks_since_ || now - asked_at_ > 3 * list_interval()) asks_since_ = now;
    asked_at_ = now;
    const std::optional<std::string> why = why_not_yet(now);
    if (!why) {
        wait_.reset();
        asks_since_.reset();
        return {Verdict::Kind::open, {}};
    }
    if (!wait_) wait_ = Wait{now, progress()};
    if (now - wait_->since >= patience()) {
        std::string text = fmt::format(
            "{}, and there has been no progress for {}. Look at that host. If it is gone for ever, "
            "remove it from `hosts` on all hosts and reload keyturnd there. Then, or if its units "
            "have restarted since the change, run `keyturnctl retry {}` here",
            *why, to_text(patience()), policy_.name);
        return {Verdict::Kind::refused, {Fault::silent, std::move(text), {}}};
    }
    Error not_yet{Fault::busy, *why, {}};
    not_yet.retry_after = std::chrono::floor<std::chrono::seconds>(list_interval() / 3);
    return {Verdict::Kind::closed, std::move(not_yet)};
}

void WaveGate::acknowledge() {
    wait_.reset();
    asks_since_.reset();
    if (std::exchange(memories_.overtaken, false)) return;
    memories_.earlier.clear();  // Whatever is listed counts as later.
    memories_.settled = true;
}

std::optional<std::string> WaveGate::why_not_yet(BootTime now) const {
    if (seen_.empty()) return "Cloudflare's list of connectors has not been read yet";
    if (in_order()) {
        if (auto lacking = earlier_host_lacking()) return lacking;
        const BootTime all_know = *began_ + policy_.drift.interval + times_.first_host;
        if (leads() && now < all_know) {
            return fmt::format(
                "the other hosts look for a new token every {} (`drift.interval`); {} left",
                to_text(policy_.drift.interval), to_text(all_know - now));
        }
    }
    if (!memories_.settled)
        return "Cloudflare's list of connectors may be behind; it is read again";
    if (const auto absent = absences(); !absent.empty()) return absent.front();
    if (steady()) return std::nullopt;
    return in_order() ? "the connectors of other hosts have just changed"
                      : "other hosts may restart at the same time; their connectors are watched";
}

std::optional<std::string> WaveGate::earlier_host_lacking() const {
    for (std::size_t i = 0; i < own_; ++i) {
        const KnownHost& host = hosts()[i];
        if (seen_[i].later >= host.units) continue;
        return fmt::format(
            "{} comes first: {} of {} connectors there are known to have the new token", host.host,
            seen_[i].later, host.units);
    }
    return std::nullopt;
}

std::optional<std::string> WaveGate::reason_not_to_rotate() const {
    const std::vector<std::string> absent = absences();
    if (!absent.empty()) {
        return absent.front() +
               ": repair that host first; if it is gone for ever, remove it from `hosts` on all "
               "hosts";
    }
    if (!others_are_later()) {
        return "not all hosts are known to have restarted for the last change of the token: "
               "`keyturnctl fleet status` says which; look at keyturnd there, or restart their "
               "units";
    }
    return std::nullopt;
}

std::vector<std::string> WaveGate::laggards() const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        if (i == own_ || seen_[i].later >= hosts()[i].units) continue;
        texts.push_back(fmt::format(
            "{} of {} connectors of {} are known to have the new token: look at keyturnd there",
            seen_[i].later, hosts()[i].units, hosts()[i].host));
    }
    return texts;
}

std::vector<std::string> WaveGate::absences() const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const std::size_t listed = seen_[i].connectors.size();
        if (i == own_ || static_cast<int>(listed) >= hosts()[i].units) continue;
        texts.push_back(fmt::format("Cloudflare lists {} of {} connectors of {}", listed,
                                    hosts()[i].units, hosts()[i].host));
    }
    return texts;
}

/// Somebody who has the tunnel's token can also announce the tag of a host.
std::vector<std::string> WaveGate::surpluses() const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const std::size_t listed = seen_[i].connectors.size();
        if (static_cast<int>(listed) <= hosts()[i].units) continue;
        texts.push_back(fmt::format(
            "Cloudflare lists {} connectors of {}, but `hosts` says {}: correct `units`, or find "
            "out who else looks like this host",
            listed, hosts()[i].host, hosts()[i].units));
    }
    return texts;
}

std::string WaveGate::describe() const {
    const bool all_later = others_are_later();
    std::string text;
    for (std::size_t i = 0; i < hosts().size(); ++i) {
        const KnownHost& host = hosts()[i];
        std::string what = "not looked at yet";
        if (!seen_.empty()) {
            what =
                fmt::format("{} of {} connectors listed", seen_[i].connectors.size(), host.units);
            if (!all_later) {
                what += fmt::format(", {} known to have the new token", seen_[i].later);
            }
        }
        text += fmt::format("  {:<12} {}{}{}\n", host.host, what, i == 0 ? "; rotates" : "",
                            i == own_ ? "; this host" : "");
    }
    return text;
}

}  // namespace keyturn
