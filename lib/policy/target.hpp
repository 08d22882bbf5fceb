#pragma once

#include "policy/draft.hpp"
#include "policy/key_table.hpp"
#include "policy/value.hpp"

namespace keyturn {

/// What the values of the section being read go into: a target of the table is a member of one of
/// these.
struct Cursor {
    CloudflarePolicy* cloudflare = nullptr;
    CredentialSource* credential = nullptr;
    TunnelDraft* tunnel = nullptr;
    Window* window = nullptr;  ///< One of the tunnel's.
    Freeze* freeze = nullptr;  ///< One of the tunnel's.
};

/// Puts a value where its key says. Keys without a target are only checked.
void store(const KeySpec& spec, PolicyValue value, const Cursor& cursor);

}  // namespace keyturn
