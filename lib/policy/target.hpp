#pragma once

#include "policy/draft.hpp"
#include "policy/key_table.hpp"
#include "policy/value.hpp"

namespace keyturn {

/// The objects that the section being read fills: each target of the table is a member of one.
struct Cursor {
    CloudflarePolicy* cloudflare = nullptr;
    CredentialSource* credential = nullptr;  ///< Of an API token, the proxy or a coordinator.
    TunnelDraft* tunnel = nullptr;
    Window* window = nullptr;   ///< One of the tunnel's.
    Freeze* freeze = nullptr;   ///< One of the tunnel's.
    KnownHost* host = nullptr;  ///< One of its coordinator's.
};

/// Stores a value in the member that its key names. Keys without a target are only checked.
void store(const KeySpec& spec, PolicyValue value, const Cursor& cursor);

/// Empties the tunnel's list that a key of the kind `section_list` fills.
void clear_list(const KeySpec& spec, TunnelDraft& tunnel);

/// Appends an entry to this list, and points the cursor at it.
void begin_entry(const KeySpec& spec, Place place, Cursor& cursor);

}  // namespace keyturn
