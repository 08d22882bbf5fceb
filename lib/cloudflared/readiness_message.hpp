#pragma once

#include "model/readiness.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// The answer of cloudflared's /ready: 200 or 503 with
/// {"status":200,"readyConnections":4,"connectorId":"<uuid>"}. A 503 with that is an answer:
/// nothing is connected. Nothing for whatever else: then it is another server. `tunnel` stays
/// empty.
[[nodiscard]] std::optional<Readiness> read_ready(int status, std::string_view body);

/// What of /diag/tunnel concerns us; in lower case, empty where it is missing or no UUID.
struct TunnelDiagnosis {
    std::string tunnel;
    std::string connector_id;

    bool operator==(const TunnelDiagnosis&) const = default;
};

/// Nothing if that was not such an answer: cloudflared serves it since 2024.12.
[[nodiscard]] std::optional<TunnelDiagnosis> read_tunnel_diagnosis(int status,
                                                                   std::string_view body);

}  // namespace keyturn
