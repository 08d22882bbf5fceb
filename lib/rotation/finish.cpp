#include "rotation/finish.hpp"

#include "rotation/attached.hpp"
#include "rotation/lock_out_proof.hpp"
#include "rotation/soak.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"

#include <fmt/ranges.h>

namespace keyturn {

Script<Ending> Finish::tell() {
    if (!ends_after_delivery()) {
        invariant(record_.everyone_proven(), "no unit may be left on the old token");
        co_await save(Phase::finish);
        if (record_.compromised()) co_await lock_out_.await();
        // The last batch must stay healthy for a while too. No unit is left that could be promoted.
        const Milliseconds span = inputs_.policy.rollout.min_healthy_time;
        static_cast<void>(co_await soak_.watch(span, span));
        if (!record_.compromised()) co_await await_api_list();
    }
    const bool still_ours = co_await token_.still_ours();
    if (!still_ours) co_await start_over();
    co_await handover_.keep_file();  // Once our copy is wiped, nothing else here has that token.
    // Saved before the secrets go: without them, the API's token cannot be told from somebody
    // else's.
    record_.proven = true;
    co_await save(Phase::finish);
    co_return Ending::go_on(ChapterName::conclusion);
}

/// Waits until the API lists the connector of every restarted unit and none from before the commit.
Script<> Finish::await_api_list() {
    BootTime deadline = now_ + inputs_.policy.rollout.healthy_deadline;
    begin_step(inputs_.policy.rollout.healthy_deadline);
    for (;;) {
        const std::size_t waits = waits_;
        const std::vector<Connector> connectors = co_await list_connectors();
        if (waits_ != waits) deadline = now_ + inputs_.policy.rollout.healthy_deadline;
        const std::vector<std::string> absent = units_absent_from(record_, connectors);
        const std::vector<std::string> stragglers = stragglers_in(record_, connectors);
        if (absent.empty() && stragglers.empty()) break;
        if (now_ >= deadline && !absent.empty()) {
            std::string text = fmt::format("Cloudflare does not list the new connector of {}",
                                           fmt::join(absent, ", "));
            co_await hold(HoldReason::not_listed, std::move(text), absent.front());
        }
        if (now_ >= deadline) {
            say(EventKind::straggler_seen, Priority::warning,
                fmt::format("Cloudflare still lists connectors of {} from before the {}: {}{}",
                            inputs_.policy.name, record_.keeps_token() ? "restarts" : "new secret",
                            fmt::join(stragglers, ", "),
                            record_.keeps_token()
                                ? ""
                                : ". They use a dead token and cannot reconnect once their "
                                  "connections drop"));
            break;
        }
        co_await sleep_for(list_interval);
    }
    end_step();
}

}  // namespace keyturn
