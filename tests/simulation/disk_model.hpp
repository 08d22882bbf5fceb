#pragma once

#include "rotation/record.hpp"
#include "simulation/cloud_model.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// Both secrets of an open rotation, as in `TokenStore::pending`.
struct KeptSecrets {
    std::string rotation_id;
    SecretId fresh = 0;
    SecretId old = 0;
};

/// What is on the disk for one tunnel. Each operation is whole or not at all and durable when it
/// has succeeded: tests/integration/state and delivery show that of the real ones, at each of their
/// system calls.
/// Here it is shown what follows from that, whichever operations fail and wherever keyturnd dies.
struct DiskModel {
    struct Staged {
        std::string rotation_id;
        SecretId token = 0;
    };

    SecretId token_file = 0;
    bool last_operation_failed = false;
    std::optional<Staged> staged;
    std::optional<KeptSecrets> kept;
    std::optional<RotationRecord> record;
    std::vector<std::string> retired;
    bool paused = false;
    std::vector<HistoryEntry> history;
};

}  // namespace keyturn::simulation
