#pragma once

#include "http/proxy.hpp"
#include "policy/policy_file.hpp"
#include "setup/connector_survey.hpp"
#include "setup/foreground.hpp"
#include "setup/policy_text.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// One file that is about to be written.
struct FileChange {
    std::string path;
    std::string text;
};

/// The policy of this host with the tunnels that setup adds to it.
class HostPolicy {
  public:
    /// Reads the policy that is there; a host without one begins with the first policy. The
    /// problems of an invalid policy are the error.
    [[nodiscard]] static Result<HostPolicy> read();

    [[nodiscard]] const Policy& policy() const { return policy_; }
    [[nodiscard]] bool exists() const { return exists_; }

    /// Adds a tunnel, or units to a tunnel that the policy has. `invalid` with the problems if the
    /// policy would not be valid.
    [[nodiscard]] Result<void> add(const NewTunnel& tunnel);

    /// Adds the proxy of the network, in a drop-in of its own.
    [[nodiscard]] Result<void> add(const HttpProxy& proxy);

    /// The tunnel with this UUID; null if there is none.
    [[nodiscard]] const TunnelPolicy* find(const std::string& tunnel) const;
    [[nodiscard]] const TunnelPolicy* find_named(const std::string& name) const;

    /// Takes units out of a tunnel, and the tunnel out of the policy when none is left. Only what
    /// `add` has written is changed.
    struct Removal {
        std::vector<std::string> removed;  ///< Files to remove.
        std::vector<FileChange> changed;
        std::string by_hand;  ///< What a person has to take out of the policy; mostly empty.
    };
    [[nodiscard]] Result<Removal> remove(const std::string& tunnel,
                                         const std::vector<std::string>& units);

    /// What is left on the host of tunnels that are no longer in the policy: units of extra
    /// connectors with their attestations, and the polkit rule, if setup has written it.
    [[nodiscard]] Result<Removal> unused() const;

    /// How to reach Cloudflare; drop-ins may say so before there is a tunnel. `tunnel` is any.
    [[nodiscard]] Result<CloudflarePolicy> cloudflare(const NewTunnel& tunnel) const;

    /// The files to write for it: the policy and its drop-ins, and the polkit rule.
    [[nodiscard]] std::vector<FileChange> changes() const;

  private:
    [[nodiscard]] Result<void> check();
    void put(const std::string& path, std::string text);
    [[nodiscard]] FileChange rule() const;

    std::vector<PolicySource> sources_;  ///< The first is the policy itself.
    std::vector<std::string> added_;     ///< Files among them that are new or changed.
    Policy policy_;
    bool exists_ = false;
};

/// True if the file is not yet as it should be.
[[nodiscard]] bool is_new(const FileChange& change);

/// The path of the drop-in for a tunnel.
[[nodiscard]] std::string tunnel_drop_in_path(const std::string& name);

/// True if one of the patterns stands for the unit, by one of its names.
[[nodiscard]] bool is_planned(const std::vector<std::string>& patterns,
                              const UnitSettings& settings);

/// Writes a file that everybody may read, unless it is so already. Returns whether it has changed.
[[nodiscard]] Result<bool> write_public(const FileChange& change);

/// Shows what `changes` would do: a diff for each file.
void show_changes(const std::vector<FileChange>& changes);

}  // namespace keyturn
