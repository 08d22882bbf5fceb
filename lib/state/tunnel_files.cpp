#include "state/tunnel_files.hpp"

#include "files/atomic_file.hpp"
#include "files/file.hpp"
#include "state/ballast.hpp"

#include <utility>

namespace keyturn {

TunnelFiles::TunnelFiles(std::string state_directory, std::string folder, std::size_t size_max)
    : root_(std::move(state_directory)), folder_(std::move(folder)), size_max_(size_max) {
    const Result<std::optional<Directory>> directory = open();
    if (directory && *directory) remove_temporaries(**directory);
}

/// Nothing if no file was ever saved.
Result<std::optional<Directory>> TunnelFiles::open() const {
    const Result<Directory> root = Directory::open(root_);
    if (!root) return root.error();
    Result<Directory> directory = root->open_below(folder_);
    if (directory) return std::optional<Directory>(std::move(*directory));
    if (directory.error().fault == Fault::missing) return std::optional<Directory>();
    return directory.error();
}

Result<std::optional<std::string>> TunnelFiles::load(const std::string& tunnel) const {
    const Result<void> nameable = check_file_name(tunnel);
    if (!nameable) return with_context("tunnel", nameable.error());
    const Result<std::optional<Directory>> directory = open();
    if (!directory) return directory.error();
    if (!*directory) return std::optional<std::string>();
    const Result<std::optional<Secret>> text = read_file(**directory, tunnel, size_max_);
    if (!text) return text.error();
    if (!*text) return std::optional<std::string>();
    return std::optional<std::string>((*text)->reveal());
}

Result<void> TunnelFiles::save(const std::string& tunnel, const std::string& text) const {
    const Result<void> nameable = check_file_name(tunnel);
    if (!nameable) return with_context("tunnel", nameable.error());
    const Result<Directory> root = Directory::open(root_);
    if (!root) return root.error();
    const Result<void> made = root->make_below(folder_);
    if (!made) return made.error();
    return replace_with_ballast(root_, folder_.c_str(), tunnel, text);
}

std::string TunnelFiles::path_of(const std::string& tunnel) const {
    return root_ + "/" + folder_ + "/" + tunnel;
}

}  // namespace keyturn
