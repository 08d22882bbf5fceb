#pragma once

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

/// What looks at an idle tunnel have found that a person should know. Each finding is reported once
/// when it begins and once when it ends. Pure: whoever notes something records the events.
class Findings {
  public:
    /// `policy` outlives it.
    explicit Findings(const TunnelPolicy& policy) : policy_(policy) {}

    /// The connectors that are none of the tunnel's units. The API's list lags behind, so only one
    /// that is listed twice is reported. True where one is new: look again soon.
    [[nodiscard]] bool note_foreign(const std::vector<Connector>& foreign);

    /// What would have the next rotation refused. What may pass, such as a unit that is starting,
    /// is reported at the second look. True where one is new: look again soon.
    [[nodiscard]] bool note_problems(std::vector<std::string> found);

    /// Why the last look at Cloudflare failed; empty: it did not.
    void note_look(std::string problem);

    /// Units on another token than the delivered one, and the `unknown` ones: units of which
    /// nobody knows the token.
    void note_starts(const TunnelState& state, const std::vector<std::string>& unknown);

    /// keyturnd has written the token file again, because it held `found` (empty: no token).
    void note_token_file(const std::string& found, const std::string& written);

    /// The events since the last call, oldest first.
    [[nodiscard]] std::vector<Event> take_events() { return std::exchange(events_, {}); }

    /// A sentence each, for the status.
    [[nodiscard]] std::vector<std::string> sentences(const TunnelState& state) const;

  private:
    struct Problem {
        std::string text;
        bool told = false;
    };

    void tell(EventKind kind, Priority priority, std::string message);

    const TunnelPolicy& policy_;
    std::set<std::string> foreign_seen_;               ///< At the last look.
    std::map<std::string, std::string> foreign_told_;  ///< Connectors with an alarm, described.
    std::vector<Problem> problems_;
    std::string look_problem_;
    std::map<std::string, std::string> outdated_told_;  ///< Invocations, by unit.
    std::vector<Event> events_;
};

}  // namespace keyturn
