#include "delivery/token_store.hpp"

#include "delivery/names.hpp"
#include "delivery/pending.hpp"
#include "files/atomic_file.hpp"
#include "files/directory.hpp"
#include "files/file.hpp"

#include <fmt/format.h>

#include <set>

namespace keyturn {
namespace {

constexpr const char* tokens_name = "tokens";
constexpr const char* pending_name = "pending";

/// A token has at most 4 KiB (`token_size_max`). An editor may have added white space around it.
constexpr std::size_t token_file_size_max = std::size_t{8} * 1024;
constexpr std::size_t pending_file_size_max = std::size_t{32} * 1024;

/// A rotation needs two small files for each tunnel. This leaves room for the records beside them.
constexpr unsigned long long room_needed_bytes = 256ULL * 1024;
constexpr std::size_t probe_bytes = 4096;

/// Writes a block to the disk and removes it again. This finds read-only and broken file systems,
/// quotas and missing rights, for which there is no question to ask.
Result<void> probe(const Directory& directory, const std::string& name) {
    const Result<void> room = directory.check_room(room_needed_bytes);
    if (!room) return room.error();
    Result<AtomicFile> file = AtomicFile::create(directory, name, std::string(probe_bytes, '\0'));
    if (!file) return file.error();
    return file->sync_and_discard();
}

class FileTokenStore final : public TokenStore {
  public:
    explicit FileTokenStore(std::string state_directory) : root_(std::move(state_directory)) {
        // Created only here: if a directory disappears later, somebody removed it, and keyturnd
        // must write nothing until a person has looked into it. `check` reports a failure here.
        const Result<Directory> root = root_.open();
        if (!root) return;
        for (const char* name : {tokens_name, pending_name}) {
            static_cast<void>(root->make_below(name).has_value());
        }
    }

    std::string path(const std::string& tunnel_name) const override {
        return fmt::format("{}/{}/{}", root_.path(), tokens_name, tunnel_name);
    }

    Result<std::optional<Secret>> current(const std::string& tunnel_name) override {
        const Result<Directory> tokens = open(tokens_name, tunnel_name);
        if (!tokens) return tokens.error();
        return read_file(*tokens, tunnel_name, token_file_size_max);
    }

    Result<void> check(const std::string& tunnel_name) override {
        for (const char* name : {tokens_name, pending_name}) {
            const Result<Directory> directory = open(name, tunnel_name);
            if (!directory) return directory.error();
            const Result<bool> target = examine_file(*directory, tunnel_name);
            if (!target) return target.error();
            const Result<void> writable = probe(*directory, tunnel_name);
            if (!writable) return writable.error();
        }
        return {};
    }

    Result<void> keep_pending(const std::string& tunnel_name,
                              const PendingTokens& tokens) override {
        const Result<Directory> pending = open(pending_name, tunnel_name);
        if (!pending) return pending.error();
        const Result<void> id = check_id(tokens.rotation_id);
        if (!id) return id.error();
        const Result<bool> target = examine_file(*pending, tunnel_name);
        if (!target) return target.error();
        const Secret text = encode_pending(tokens);
        return replace_file(*pending, tunnel_name, text.reveal());
    }

    Result<std::optional<PendingTokens>> pending(const std::string& tunnel_name) override {
        const Result<Directory> directory = open(pending_name, tunnel_name);
        if (!directory) return directory.error();
        const Result<std::optional<Secret>> text =
            read_file(*directory, tunnel_name, pending_file_size_max);
        if (!text) return text.error();
        if (!*text) return std::optional<PendingTokens>();
        Result<PendingTokens> tokens = decode_pending((*text)->reveal());
        if (!tokens) return with_context(directory->path_of(tunnel_name), tokens.error());
        return std::optional<PendingTokens>(std::move(*tokens));
    }

    Result<void> forget_pending(const std::string& tunnel_name) override {
        const Result<Directory> pending = open(pending_name, tunnel_name);
        if (!pending) return pending.error();
        return erase_file(*pending, tunnel_name);
    }

    Result<void> stage(const std::string& tunnel_name, const std::string& rotation_id,
                       const Secret& token) override {
        const Result<Directory> tokens = open(tokens_name, tunnel_name);
        if (!tokens) return tokens.error();
        const Result<void> id = check_id(rotation_id);
        if (!id) return id.error();
        const std::string staged = staged_name(tunnel_name, rotation_id);
        const Result<std::optional<Secret>> there = read_file(*tokens, staged, token_file_size_max);
        // The file was synced before it got this name, so at most the name is missing from the
        // disk. A disk that has filled up since then does not matter.
        if (there && *there && same_secret(**there, token)) return tokens->sync();
        if (!there && there.error().fault == Fault::invalid) return there.error();
        Result<AtomicFile> file = AtomicFile::create(*tokens, tunnel_name, token.reveal());
        if (!file) return file.error();
        return file->commit(staged);
    }

    Result<void> swap_in(const std::string& tunnel_name, const std::string& rotation_id) override {
        const Result<Directory> tokens = open(tokens_name, tunnel_name);
        if (!tokens) return tokens.error();
        const Result<void> id = check_id(rotation_id);
        if (!id) return id.error();
        const std::string staged = staged_name(tunnel_name, rotation_id);
        const Result<bool> source = examine_file(*tokens, staged);
        if (!source) return source.error();
        const Result<bool> target = examine_file(*tokens, tunnel_name);
        if (!target) return target.error();
        return rename_file(*tokens, staged, tunnel_name);
    }

    /// Lists each directory once, because at the start there may be a thousand tunnels.
    void sweep(const std::vector<std::string>& tunnel_names) override {
        const std::set<std::string_view> tunnels(tunnel_names.begin(), tunnel_names.end());
        for (const char* name : {tokens_name, pending_name}) {
            const Result<Directory> directory = root_.open_below(name);
            if (directory) sweep(*directory, tunnels);
        }
    }

  private:
    static Result<void> check_id(const std::string& rotation_id) {
        if (is_rotation_id(rotation_id)) return {};
        return Error{Fault::invalid, "a rotation id has 32 lower-case hex digits"};
    }

    static void sweep(const Directory& directory, const std::set<std::string_view>& tunnels) {
        const Result<std::vector<std::string>> names = directory.names();
        if (!names) return;
        for (const std::string& name : *names) {
            const std::string_view tunnel = tunnel_beside(name);
            if (!tunnels.contains(tunnel)) continue;
            const bool left_over = is_temporary_of(name, tunnel) || is_staged_for(name, tunnel);
            if (left_over) static_cast<void>(erase_file(directory, name).has_value());
        }
    }

    /// Opens one of the two directories for a tunnel whose name is valid as a file name.
    Result<Directory> open(const char* name, const std::string& tunnel_name) const {
        const Result<void> nameable = check_file_name(tunnel_name);
        if (!nameable) return with_context("tunnel", nameable.error());
        return root_.open_below(name);
    }

    KeptDirectory root_;
};

}  // namespace

std::unique_ptr<TokenStore> make_token_store(std::string state_directory) {
    return std::make_unique<FileTokenStore>(std::move(state_directory));
}

}  // namespace keyturn
