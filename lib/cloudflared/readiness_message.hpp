#pragma once

#include "model/readiness.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// Reads the answer of cloudflared's /ready: 200 or 503 with
/// {"status":200,"readyConnections":4,"connectorId":"<uuid>"} (cloudflared, metrics/readiness.go).
/// A 503 of this form is an answer too: nothing is connected. Returns nothing for any other answer,
/// which comes from another server. `tunnel` stays empty.
[[nodiscard]] std::optional<Readiness> read_ready(int status, std::string_view body);

/// The ids in the answer of /diag/tunnel, in lower case; empty if missing or not a UUID.
struct TunnelDiagnosis {
    std::string tunnel;
    std::string connector_id;

    bool operator==(const TunnelDiagnosis&) const = default;
};

/// Returns nothing if this is not such an answer. cloudflared has /diag/tunnel since 2024.12.
[[nodiscard]] std::optional<TunnelDiagnosis> read_tunnel_diagnosis(int status,
                                                                   std::string_view body);

}  // namespace keyturn
