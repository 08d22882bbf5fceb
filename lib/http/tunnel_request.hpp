#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/url.hpp"
#include "http/proxy.hpp"

#include <optional>
#include <string_view>

namespace keyturn {

/// An answer to CONNECT whose head is longer counts as one without an end.
inline constexpr std::size_t tunnel_answer_size_max = 16 * 1024;

/// The bytes that ask a proxy for a connection to `target`. Only they carry the login of the proxy.
/// Fails with `Fault::denied` for a login that is none. Pure.
[[nodiscard]] Result<Secret> tunnel_request(const HttpOrigin& target, const HttpProxy& proxy,
                                            std::string_view user_agent);

/// Judges what the proxy has sent so far: nothing while the head of its answer is not whole. Any
/// error but one is `unreachable`: nothing of the request was sent, and later it may work. A proxy
/// that wants another login is `denied`. Each text is a clause that names the proxy. Pure.
[[nodiscard]] std::optional<Result<void>> read_tunnel_answer(std::string_view bytes,
                                                             const HttpOrigin& target,
                                                             const HttpProxy& proxy);

}  // namespace keyturn
