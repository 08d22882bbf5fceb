#pragma once

#include "agent/problems.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "journal/event.hpp"
#include "policy/policy.hpp"
#include "rotation/record.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// The findings of an idle tunnel: problems that a person should know about. It reports each
/// finding once when it begins and once when it ends. Pure: the caller records the events.
class Findings {
  public:
    /// `policy` must outlive the findings.
    explicit Findings(const TunnelPolicy& policy) : policy_(policy) {}

    /// Notes the connectors that are none of the tunnel's units. The API's list lags behind, so a
    /// connector is reported only if two checks in a row list it. Returns true if one is new, so
    /// that the caller checks again soon.
    [[nodiscard]] bool note_foreign(const std::vector<Connector>& foreign);

    /// Notes the problems that would make keyturnd refuse the next rotation. Some disappear without
    /// help, such as a unit that is starting, so a problem is reported only if two checks in a row
    /// find it. Returns true if one is new, so that the caller checks again soon.
    [[nodiscard]] bool note_problems(std::vector<std::string> found);

    /// Notes why the last check of Cloudflare failed; empty if it succeeded.
    void note_look(std::string problem);

    /// Notes the units that run on another token than the delivered one, and the `unknown` ones,
    /// whose token keyturnd does not know.
    void note_starts(const TunnelState& state, const std::vector<std::string>& unknown);

    /// Notes that keyturnd has written the token file again, because it held the fingerprint
    /// `found` (empty: no token).
    void note_token_file(const std::string& found, const std::string& written);

    /// Returns the events since the last call, oldest first.
    [[nodiscard]] std::vector<Event> take_events() { return std::exchange(events_, {}); }

    /// Returns one sentence for each finding, for the status.
    [[nodiscard]] std::vector<std::string> sentences(const TunnelState& state) const;

  private:
    void tell(EventKind kind, Priority priority, std::string message);

    const TunnelPolicy& policy_;
    std::set<std::string> foreign_seen_;               ///< Ids at the last check.
    std::map<std::string, std::string> foreign_told_;  ///< Those reported: id, description.
    Problems problems_;
    std::string look_problem_;
    std::map<std::string, std::string> outdated_told_;  ///< Invocations, by unit.
    std::vector<Event> events_;
};

}  // namespace keyturn
