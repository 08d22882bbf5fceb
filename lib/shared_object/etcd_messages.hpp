#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/http_client.hpp"
#include "shared_object/shared_object.hpp"

#include <string>
#include <string_view>

namespace keyturn {

// The messages of etcd's JSON gateway. Only this file writes the names of their fields: etcd
// ignores a field that it does not know, so a misspelt comparison would compare with zero. Numbers
// are strings, and a member with the value zero is left out.

/// A version of etcd is the revision that wrote the key. Zero: the key does not exist. Anything
/// else than a number is `invalid`.
[[nodiscard]] Result<std::string> revision_of(const ObjectVersion& version);

/// Reads the key, but not its value if it still has the revision. Revision 0 reads it all. It is a
/// transaction, because a range that leaves old revisions out cannot tell one that went back.
[[nodiscard]] Secret etcd_read(std::string_view key, std::string_view revision);

/// Sets the value if the key still has the revision.
[[nodiscard]] Secret etcd_swap(std::string_view key, std::string_view revision,
                               std::string_view value);

[[nodiscard]] Secret etcd_remove(std::string_view key);

/// Asks for the token of a user.
[[nodiscard]] Secret etcd_authenticate(std::string_view user, const Secret& password);

/// The answers to them. `known` is what `etcd_read` was asked with. Errors are `invalid`.
[[nodiscard]] Result<ObjectReading> read_answer(std::string_view body, const ObjectVersion& known);

/// The new version; an empty one if the comparison failed.
[[nodiscard]] Result<ObjectVersion> swap_answer(std::string_view body);

[[nodiscard]] Result<Secret> authenticate_answer(std::string_view body);

/// What a call of etcd does.
enum class EtcdCall { read, swap, remove, authenticate };

/// What went wrong with one call at one endpoint.
struct EtcdFailure {
    Error error;
    bool token_is_old = false;      ///< The server does not know the token (any more).
    bool another_may_help = false;  ///< Nothing was done here; try the next endpoint.
};

/// The failure of an answer that is no success.
[[nodiscard]] EtcdFailure failure_of_etcd(EtcdCall call, const std::string& endpoint,
                                          const HttpResponse& response);

/// The failure of a request without an answer. `ambiguous` only for a write that was sent.
[[nodiscard]] EtcdFailure failure_without_etcd(EtcdCall call, const std::string& endpoint,
                                               Error error);

}  // namespace keyturn
