#include "state/state_store.hpp"

#include "files/atomic_file.hpp"
#include "files/file.hpp"
#include "state/ballast.hpp"
#include "state/history_file.hpp"
#include "state/lock.hpp"
#include "state/state_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace keyturn {
namespace {

constexpr const char* state_name = "state";
constexpr const char* history_name = "history";

/// In bytes. A thousand units take a tenth of this.
constexpr std::size_t state_file_size_max = std::size_t{4} * 1024 * 1024;
constexpr std::size_t history_file_size_max = std::size_t{4} * 1024 * 1024;

std::string current_file(const std::string& tunnel_name) {
    return tunnel_name + ".json";
}
std::string previous_file(const std::string& tunnel_name) {
    return tunnel_name + ".json.1";
}
std::string history_file(const std::string& tunnel_name) {
    return tunnel_name + ".jsonl";
}

Result<StateFile> read_state(const Directory& directory, const std::string& tunnel_name,
                             const std::string& file_name) {
    const Result<std::optional<Secret>> text = read_file(directory, file_name, state_file_size_max);
    if (!text) return text.error();
    if (!*text) return StateFile{};
    return decode_state_file(tunnel_name, (*text)->reveal());
}

class FileStateStore final : public StateStore {
  public:
    FileStateStore(KeptDirectory root, UniqueFd lock, bool has_ballast, StateWarning warn)
        : root_(std::move(root)),
          lock_(std::move(lock)),
          has_ballast_(has_ballast),
          warn_(std::move(warn)) {}

    Result<std::optional<TunnelState>> load(const std::string& tunnel_name) override {
        known_.erase(tunnel_name);
        const Result<Directory> directory = open(state_name, tunnel_name);
        if (!directory) return directory.error();
        // A disk error is returned. Falling back to the older file would be wrong, because the
        // newer one may be readable the next time.
        const Result<StateFile> current =
            read_state(*directory, tunnel_name, current_file(tunnel_name));
        if (!current) return current.error();
        const Result<StateFile> previous =
            read_state(*directory, tunnel_name, previous_file(tunnel_name));
        if (!previous && current->kind != StateFile::Kind::whole) return previous.error();
        Result<StateChoice> choice = choose_state(*current, previous ? *previous : StateFile{});
        const std::string path = directory->path_of(current_file(tunnel_name));
        if (!choice) return with_context(path, choice.error());
        if (!choice->warning.empty() && warn_) {
            warn_(tunnel_name, fmt::format("{}: {}", path, choice->warning));
        }
        if (!choice->document) {
            known_[tunnel_name] = Known{};
            return std::optional<TunnelState>();
        }
        known_[tunnel_name] = Known{choice->document->sequence, choice->current_is_good};
        return std::optional<TunnelState>(std::move(choice->document->state));
    }

    Result<std::vector<std::string>> tunnels() override {
        const Result<Directory> directory = open(state_name);
        if (!directory) return directory.error();
        const Result<std::vector<std::string>> files = directory->names();
        if (!files) return files.error();
        const std::string suffix = current_file("");
        std::vector<std::string> tunnels;
        for (const std::string& file : *files) {
            if (file.ends_with(suffix))
                tunnels.push_back(file.substr(0, file.size() - suffix.size()));
        }
        std::ranges::sort(tunnels);
        return tunnels;
    }

    Result<void> save(const std::string& tunnel_name, const TunnelState& state) override {
        if (!known_.contains(tunnel_name)) {
            const Result<std::optional<TunnelState>> loaded = load(tunnel_name);
            if (!loaded) return loaded.error();
        }
        const Known known = known_.at(tunnel_name);
        const StateDocument document{tunnel_name, known.sequence + 1, state};
        const std::string text = encode_state_file(document);
        // Only a trusted file may replace the previous one.
        const std::string previous =
            known.current_is_good ? previous_file(tunnel_name) : std::string();
        // Until the save succeeds, what is on the disk is unknown.
        known_.erase(tunnel_name);
        const Result<void> written =
            replace(state_name, tunnel_name, current_file(tunnel_name), previous, text);
        if (written) known_[tunnel_name] = Known{document.sequence, true};
        return written;
    }

    Result<void> append_history(const std::string& tunnel_name,
                                const HistoryEntry& entry) override {
        const Result<Secret> text = read_history(tunnel_name);
        if (!text) return text.error();
        return replace(history_name, tunnel_name, history_file(tunnel_name), {},
                       with_entry(text->reveal(), entry));
    }

    Result<std::vector<HistoryEntry>> history(const std::string& tunnel_name,
                                              std::size_t count) override {
        const Result<Secret> text = read_history(tunnel_name);
        if (!text) return text.error();
        return newest_entries(text->reveal(), count);
    }

  private:
    struct Known {
        std::int64_t sequence = 0;
        bool current_is_good = false;
    };

    Result<Directory> open(const char* name, const std::string& tunnel_name) const {
        const Result<void> nameable = check_file_name(tunnel_name);
        if (!nameable) return with_context("tunnel", nameable.error());
        return open(name);
    }

    Result<Directory> open(const char* name) const { return root_.open_below(name); }

    Result<Secret> read_history(const std::string& tunnel_name) const {
        const Result<Directory> directory = open(history_name, tunnel_name);
        if (!directory) return directory.error();
        Result<std::optional<Secret>> text =
            read_file(*directory, history_file(tunnel_name), history_file_size_max);
        if (!text) return text.error();
        return *text ? std::move(**text) : Secret();
    }

    Result<void> replace(const char* directory_name, const std::string& tunnel_name,
                         const std::string& file_name, const std::string& previous_name,
                         const std::string& text) {
        const Result<Directory> directory = open(directory_name, tunnel_name);
        if (!directory) return directory.error();
        Result<void> written = replace_file(*directory, file_name, text, previous_name);
        const bool full = !written && written.error().fault == Fault::storage;
        if (written ? has_ballast_ : !full) return written;
        const Result<Directory> root = root_.open();
        if (!root) return root.error();
        if (written) {
            has_ballast_ = make_ballast(*root);
        } else if (drop_ballast(*root)) {
            has_ballast_ = false;
            written = replace_file(*directory, file_name, text, previous_name);
        }
        return written;
    }

    KeptDirectory root_;
    UniqueFd lock_;
    bool has_ballast_;
    StateWarning warn_;
    std::map<std::string, Known> known_;
};

}  // namespace

Result<std::unique_ptr<StateStore>> make_state_store(std::string state_directory,
                                                     StateWarning warn) {
    KeptDirectory kept(std::move(state_directory));
    const Result<Directory> root = kept.open();
    if (!root) return root.error();
    Result<UniqueFd> lock = take_lock(*root);
    if (!lock) return lock.error();
    for (const char* name : {state_name, history_name}) {
        const Result<void> made = root->make_below(name);
        if (!made) return made.error();
        const Result<Directory> directory = kept.open_below(name);
        if (!directory) return directory.error();
        remove_temporaries(*directory);
    }
    const bool has_ballast = make_ballast(*root);
    return std::unique_ptr<StateStore>(std::make_unique<FileStateStore>(
        std::move(kept), std::move(*lock), has_ballast, std::move(warn)));
}

}  // namespace keyturn
