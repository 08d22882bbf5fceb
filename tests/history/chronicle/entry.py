"""One entry of the journal, as `journalctl -o json` writes it."""

import json

# The ids are an interface and never change. This second copy of the list is intentional.
KINDS = {
    "39d34a9ae6b349a4abbda0f4b806a9f8": "daemon_started",
    "801dc34cdbaa4f3d92fda812e34dc547": "daemon_stopping",
    "3f1645a2a2f44175992d9141a3cfd69e": "policy_reloaded",
    "6e073202545847548613b2c6bfc31087": "policy_refused",
    "cc14e3844594402e93c4d1ee40e3ad75": "rotation_started",
    "0a4a6c49adac4664b267983cfb167579": "rotation_refused",
    "c5a3b4b163cf4a8a9fae0efa342c6178": "rotation_resumed",
    "982239b44b584731a0c09ca64e7a3b73": "secret_prepared",
    "d3f6c810564c4c779bfa982fa6d54ef4": "secret_committed",
    "2792da312fa5437290b5b66f2efe6a5b": "token_delivered",
    "cc5f5194110e49b2bcece8da624fb0f0": "batch_started",
    "956e363e8848456e9136c2bf1918c119": "unit_restarting",
    "41d02419dea541b88ea93fe267ebd003": "unit_spared",
    "836377194126450fac1aa5a19f970b99": "unit_verified",
    "1400a35e75894403847f263979787f9c": "unit_left_stopped",
    "8a10e243f7b74999ba95b38c12b57d4c": "start_limit_kept",
    "17e83f1d8b9049b5be39e09da8cb9011": "soak_started",
    "cce39c63051745e99eb730c42e53fa05": "soak_restarted",
    "57445621f013455c8190f742bd1812db": "soak_ended",
    "0ce1465a32584a11b7fd63c5eb09d857": "replica_decaying",
    "d449d6f88e2b429284dee17d6ba7d11b": "replica_promoted",
    "7e38214af33c4a95a56e2d072eaf31cb": "rotation_waiting",
    "e49c4b90124241649cd88d94c7784f4d": "rotation_continued",
    "2318a59bc2d441139f3134ab898ad1e7": "rotation_held",
    "f7e1d2bf6e4b480280983e2ea0c3c024": "hold_urgent",
    "176b69677726419eb24b2e15dec32611": "hold_lifted",
    "008bae10ba1a4516b0ad9d896bad116d": "tunnel_paused",
    "45559cb7995d41d394a93c0703b62a34": "tunnel_unpaused",
    "e6a8b28a1d2c4407a86bb9a70560d55e": "rotation_paused",
    "06fb2684ce174b8299e1a0f44b77aeed": "rotation_reverting",
    "71fa5aedf58a4f84985b7fd5d9a4d064": "surge_started",
    "0cf18f6938454e80b4cc0f0b7d7152be": "surge_stopped",
    "038057237e3b4bbd9f1ad0135de76170": "connector_evicted",
    "099f3e9ad024414e8abf8510c6e05d78": "locked_out",
    "105cec66110b47f69201c693c703ce6c": "foreign_rotation",
    "5f0b44a85a5b4eb09d263216d35f72f9": "foreign_connector",
    "05a4332d81d1447e81fa6134ba2c55d2": "drift_unknown",
    "af1d0522c5be4c62a262d1a673d0f6b7": "token_file_changed",
    "ccb347aaa9eb4a229c487b211589db71": "lockout_blocked",
    "0b5582fd470044b69de82f11def7f4df": "unit_passed_over",
    "57c0bf51a13a4202979cb4bca8841e85": "token_unknown",
    "ac10f87bc979468198e1ebdc08479436": "token_outdated",
    "47c8ec9699324c9c876c534c045feca0": "finding_began",
    "9c0cd75a9ac64d599ac737a6f7a3d354": "finding_ended",
    "52bd269223eb4e9f96a3ba3d75eccc4d": "token_put_back",
    "aee4823bb86140328e664e728c3143f7": "straggler_seen",
    "d4a1dc6097cc4e0593c5bb87bfaed2fe": "rotation_done",
    "eae607e3b77047dbbb31706e8aa06ef9": "rotation_postponed",
    "a48d4b8d7f57412aba31c1d493aee806": "rotation_orphaned",
    "bf99f358fc894eef85f67650ae79574e": "state_unreadable",
    "daab643a817949d286408a780df6fa83": "token_file_missing",
    "fc3c4d2b8be84394bb5cf8027e2d8e2b": "token_received",
    "e7cd5e6014a048fb98d8350e0796ffe8": "turn_taken",
    "243fb40a500c4fba9ea37767da356677": "turn_ended",
    "2219b3f49ac6424496e0a65651281c6e": "unit_revived",
}
IDENTIFIER = "keyturnd"


class Unreadable(Exception):
    """A line is not an entry of a journal."""


def _text(value):
    """journalctl writes invalid UTF-8 as a list of bytes, and a repeated field as a list."""
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return bytes(value).decode(errors="replace")
        return "\n".join(map(_text, value))
    return "" if value is None else str(value)


class Entry:
    """The fields that the rules need. Times are in microseconds."""

    def __init__(self, fields, number=0):
        self.number = number  # The number of its line.
        self._fields = {key: _text(value) for key, value in fields.items()}
        self.kind = KINDS.get(self["MESSAGE_ID"], "")
        self.tunnel = self["TUNNEL_NAME"]
        self.rotation = self["ROTATION_ID"]
        self.unit = self["TARGET_UNIT"]
        self.phase = self["PHASE"]
        self.machine = self["_MACHINE_ID"]
        self.host = self["_HOSTNAME"].partition(".")[0]
        self.boot = self["_BOOT_ID"]
        self.at = int(self["__MONOTONIC_TIMESTAMP"] or 0)
        self.wall = int(self["__REALTIME_TIMESTAMP"] or 0)

    def __getitem__(self, key):
        """Return a field, or '' if it is absent."""
        return self._fields.get(key, "")

    def own_fields(self):
        """Return what keyturnd itself wrote; journald's own fields begin with `_`."""
        return {key: text for key, text in self._fields.items() if not key.startswith("_")}

    @property
    def fleet_unit(self):
        """The unit's name in a fleet, if its host has written this."""
        return "%s/%s" % (self.host, self.unit)

    @property
    def batch(self):
        """The batch and the number of batches; (0, 0) if BATCH is absent or has another form."""
        number, slash, count = self["BATCH"].partition("/")
        if not slash or not (number + count).isascii() or not (number + count).isdecimal():
            return 0, 0
        return int(number or 0), int(count or 0)

    def __str__(self):
        about = " ".join(filter(None, [self.tunnel, self.unit, self["BATCH"]]))
        return "%.6f %s%s" % (self.at / 1e6, self.kind or "entry", about and " (%s)" % about)


def read_entries(lines):
    """Return the entries of keyturnd and those that contain a policy, in the order of the lines."""
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            entry = Entry(fields, number)
        except (ValueError, AttributeError) as error:
            raise Unreadable("line %d: %s" % (number, error)) from error
        if entry["SYSLOG_IDENTIFIER"] == IDENTIFIER or entry["POLICY"]:
            entries.append(entry)
    return entries
