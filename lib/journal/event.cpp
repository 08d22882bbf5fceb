#include "journal/event.hpp"

#include "base/invariant.hpp"

#include <array>

namespace keyturn {
namespace {

struct Row {
    EventKind kind;
    std::string_view name;
    std::string_view message_id;
};

/// In the order of the enumeration. The ids are an interface that people and programs search for,
/// so an id never changes and is never reused.
constexpr std::array rows{
    Row{EventKind::daemon_started, "daemon_started", "39d34a9ae6b349a4abbda0f4b806a9f8"},
    Row{EventKind::daemon_stopping, "daemon_stopping", "801dc34cdbaa4f3d92fda812e34dc547"},
    Row{EventKind::policy_reloaded, "policy_reloaded", "3f1645a2a2f44175992d9141a3cfd69e"},
    Row{EventKind::policy_refused, "policy_refused", "6e073202545847548613b2c6bfc31087"},
    Row{EventKind::rotation_started, "rotation_started", "cc14e3844594402e93c4d1ee40e3ad75"},
    Row{EventKind::rotation_refused, "rotation_refused", "0a4a6c49adac4664b267983cfb167579"},
    Row{EventKind::rotation_resumed, "rotation_resumed", "c5a3b4b163cf4a8a9fae0efa342c6178"},
    Row{EventKind::secret_prepared, "secret_prepared", "982239b44b584731a0c09ca64e7a3b73"},
    Row{EventKind::secret_committed, "secret_committed", "d3f6c810564c4c779bfa982fa6d54ef4"},
    Row{EventKind::token_delivered, "token_delivered", "2792da312fa5437290b5b66f2efe6a5b"},
    Row{EventKind::batch_started, "batch_started", "cc5f5194110e49b2bcece8da624fb0f0"},
    Row{EventKind::unit_restarting, "unit_restarting", "956e363e8848456e9136c2bf1918c119"},
    Row{EventKind::start_limit_kept, "start_limit_kept", "8a10e243f7b74999ba95b38c12b57d4c"},
    Row{EventKind::unit_verified, "unit_verified", "836377194126450fac1aa5a19f970b99"},
    Row{EventKind::unit_spared, "unit_spared", "41d02419dea541b88ea93fe267ebd003"},
    Row{EventKind::unit_passed_over, "unit_passed_over", "0b5582fd470044b69de82f11def7f4df"},
    Row{EventKind::unit_left_stopped, "unit_left_stopped", "1400a35e75894403847f263979787f9c"},
    Row{EventKind::soak_started, "soak_started", "17e83f1d8b9049b5be39e09da8cb9011"},
    Row{EventKind::soak_restarted, "soak_restarted", "cce39c63051745e99eb730c42e53fa05"},
    Row{EventKind::soak_ended, "soak_ended", "57445621f013455c8190f742bd1812db"},
    Row{EventKind::replica_decaying, "replica_decaying", "0ce1465a32584a11b7fd63c5eb09d857"},
    Row{EventKind::replica_promoted, "replica_promoted", "d449d6f88e2b429284dee17d6ba7d11b"},
    Row{EventKind::rotation_waiting, "rotation_waiting", "7e38214af33c4a95a56e2d072eaf31cb"},
    Row{EventKind::rotation_continued, "rotation_continued", "e49c4b90124241649cd88d94c7784f4d"},
    Row{EventKind::rotation_held, "rotation_held", "2318a59bc2d441139f3134ab898ad1e7"},
    Row{EventKind::hold_urgent, "hold_urgent", "f7e1d2bf6e4b480280983e2ea0c3c024"},
    Row{EventKind::hold_lifted, "hold_lifted", "176b69677726419eb24b2e15dec32611"},
    Row{EventKind::tunnel_paused, "tunnel_paused", "008bae10ba1a4516b0ad9d896bad116d"},
    Row{EventKind::tunnel_unpaused, "tunnel_unpaused", "45559cb7995d41d394a93c0703b62a34"},
    Row{EventKind::rotation_paused, "rotation_paused", "e6a8b28a1d2c4407a86bb9a70560d55e"},
    Row{EventKind::rotation_reverting, "rotation_reverting", "06fb2684ce174b8299e1a0f44b77aeed"},
    Row{EventKind::surge_started, "surge_started", "71fa5aedf58a4f84985b7fd5d9a4d064"},
    Row{EventKind::surge_stopped, "surge_stopped", "0cf18f6938454e80b4cc0f0b7d7152be"},
    Row{EventKind::connector_evicted, "connector_evicted", "038057237e3b4bbd9f1ad0135de76170"},
    Row{EventKind::lockout_blocked, "lockout_blocked", "ccb347aaa9eb4a229c487b211589db71"},
    Row{EventKind::locked_out, "locked_out", "099f3e9ad024414e8abf8510c6e05d78"},
    Row{EventKind::foreign_rotation, "foreign_rotation", "105cec66110b47f69201c693c703ce6c"},
    Row{EventKind::foreign_connector, "foreign_connector", "5f0b44a85a5b4eb09d263216d35f72f9"},
    Row{EventKind::drift_unknown, "drift_unknown", "05a4332d81d1447e81fa6134ba2c55d2"},
    Row{EventKind::token_file_changed, "token_file_changed", "af1d0522c5be4c62a262d1a673d0f6b7"},
    Row{EventKind::token_unknown, "token_unknown", "57c0bf51a13a4202979cb4bca8841e85"},
    Row{EventKind::token_outdated, "token_outdated", "ac10f87bc979468198e1ebdc08479436"},
    Row{EventKind::finding_began, "finding_began", "47c8ec9699324c9c876c534c045feca0"},
    Row{EventKind::finding_ended, "finding_ended", "9c0cd75a9ac64d599ac737a6f7a3d354"},
    Row{EventKind::token_put_back, "token_put_back", "52bd269223eb4e9f96a3ba3d75eccc4d"},
    Row{EventKind::straggler_seen, "straggler_seen", "aee4823bb86140328e664e728c3143f7"},
    Row{EventKind::rotation_done, "rotation_done", "d4a1dc6097cc4e0593c5bb87bfaed2fe"},
    Row{EventKind::rotation_postponed, "rotation_postponed", "eae607e3b77047dbbb31706e8aa06ef9"},
    Row{EventKind::rotation_orphaned, "rotation_orphaned", "a48d4b8d7f57412aba31c1d493aee806"},
    Row{EventKind::state_unreadable, "state_unreadable", "bf99f358fc894eef85f67650ae79574e"},
    Row{EventKind::token_file_missing, "token_file_missing", "daab643a817949d286408a780df6fa83"},
    Row{EventKind::token_received, "token_received", "fc3c4d2b8be84394bb5cf8027e2d8e2b"},
    Row{EventKind::turn_taken, "turn_taken", "e7cd5e6014a048fb98d8350e0796ffe8"},
    Row{EventKind::turn_ended, "turn_ended", "243fb40a500c4fba9ea37767da356677"},
    Row{EventKind::unit_revived, "unit_revived", "2219b3f49ac6424496e0a65651281c6e"},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].kind != static_cast<EventKind>(i)) return false;
    }
    return rows.back().kind == EventKind::unit_revived;
}
static_assert(in_order(), "every kind of event has a row, in the order of the enumeration");

const Row& row_of(EventKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    invariant(index < rows.size(), "an event must be of an existing kind");
    return rows[index];
}

}  // namespace

std::string_view name_of(EventKind kind) {
    return row_of(kind).name;
}

std::string_view message_id_of(EventKind kind) {
    return row_of(kind).message_id;
}

}  // namespace keyturn
