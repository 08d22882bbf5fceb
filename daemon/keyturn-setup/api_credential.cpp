#include "api_credential.hpp"

#include "cloudflare/api_token_text.hpp"
#include "setup/command.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <unistd.h>

namespace keyturn {

namespace {

constexpr const char* plain_path = "/etc/keyturn/cloudflare-api-token";
constexpr const char* sealed_path = "/etc/keyturn/cloudflare-api-token.cred";
constexpr const char* running_path = "/run/credentials/keyturnd.service/cloudflare-api-token";
constexpr const char* drop_in_path = "/etc/systemd/system/keyturnd.service.d/50-credential.conf";
constexpr const char* name_option = "--name=cloudflare-api-token";
/// Replaces the line for this credential in keyturnd.service, and no other one.
constexpr const char* drop_in =
    "# Written by keyturnctl setup: the API token is encrypted with the key of this host.\n"
    "[Service]\n"
    "LoadCredentialEncrypted=cloudflare-api-token:/etc/keyturn/cloudflare-api-token.cred\n";
constexpr const char* login_path = "/etc/keyturn/cloudflare-proxy";
constexpr FileOwner private_file{0600, 0, 0};
constexpr std::size_t input_max = 4096;

Result<Secret> token_in(std::string_view text, std::string_view place) {
    const auto token = find_api_token(text);
    if (!token) return with_context(place, token.error());
    return Secret::copy_of(*token);
}

Secret standard_input() {
    Secret text(input_max);
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(STDIN_FILENO, text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.truncate(size);
    return text;
}

/// Encrypts only if systemd can decrypt it again at the next start: without /var/lib/systemd, or in
/// a container, it may not have a key of the host.
Result<Secret> sealed(const Secret& token) {
    auto text =
        run_or_fail({"systemd-creds", "encrypt", "--with-key=host", name_option, "-", "-"}, token);
    if (!text) return text;
    auto back = run_or_fail({"systemd-creds", "decrypt", name_option, "-", "-"}, *text);
    if (!back) return back.error();
    if (!same_secret(*back, token))
        return Error{Fault::invalid, "systemd-creds does not return what it was given", {}};
    return text;
}

}  // namespace

Result<std::optional<Secret>> ApiCredential::stored() {
    auto drop_in_file = read_host_file(drop_in_path);
    if (!drop_in_file) return drop_in_file.error();
    if (*drop_in_file) {
        auto text = run_or_fail({"systemd-creds", "decrypt", name_option, sealed_path, "-"});
        if (!text) return text.error();
        auto token = token_in(text->reveal(), sealed_path);
        if (!token) return token.error();
        return std::optional<Secret>(std::move(*token));
    }
    auto file = read_host_file(plain_path);
    if (!file) return file.error();
    if (!*file) return std::optional<Secret>{};
    auto token = token_in((*file)->text.reveal(), plain_path);
    if (!token) return token.error();
    return std::optional<Secret>(std::move(*token));
}

bool ApiCredential::is_half_stored() {
    const bool sealed = std::filesystem::exists(drop_in_path);
    return std::filesystem::exists(sealed ? plain_path : sealed_path);
}

bool ApiCredential::is_in_use(const Secret& token) {
    const auto file = read_host_file(running_path);
    if (!file || !*file) return true;  // It does not run.
    const auto running = find_api_token((*file)->text.reveal());
    return running && *running == token.reveal();
}

Result<Secret> ApiCredential::from_file(const std::string& path) {
    if (path == "-") return token_in(standard_input().reveal(), "standard input");
    auto file = read_host_file(path);
    if (!file) return file.error();
    if (!*file) return Error{Fault::missing, fmt::format("{} does not exist", path), {}};
    return token_in((*file)->text.reveal(), path);
}

Result<std::string> ApiCredential::store(const Secret& token, bool plain) {
    std::string why_plain;
    if (!plain) {
        auto text = sealed(token);
        if (text) {
            if (auto written = write_host_file(sealed_path, text->reveal(), private_file); !written)
                return written.error();
            if (auto written = write_host_file(drop_in_path, drop_in, FileOwner{}); !written)
                return written.error();
            if (auto removed = remove_host_file(plain_path); !removed) return removed.error();
            return fmt::format("{} (encrypted with the key of this host)", sealed_path);
        }
        why_plain = fmt::format(", because it cannot be encrypted: {}", text.error().text);
    }
    if (auto written = write_host_file(plain_path, token.reveal(), private_file); !written)
        return written.error();
    if (auto removed = remove_host_file(drop_in_path); !removed) return removed.error();
    if (auto removed = remove_host_file(sealed_path); !removed) return removed.error();
    return fmt::format("{} (mode 0600{})", plain_path, why_plain);
}

bool ProxyLogin::is_stored(const Secret& login) {
    if (login.empty()) return true;
    const auto file = read_host_file(login_path);
    return file && *file && same_secret((*file)->text, login);
}

Result<std::string> ProxyLogin::store(const Secret& login) {
    if (auto written = write_host_file(login_path, login.reveal(), private_file); !written)
        return written.error();
    // One that is older does not load the login.
    if (std::filesystem::exists(drop_in_path)) {
        if (auto written = write_host_file(drop_in_path, drop_in, FileOwner{}); !written)
            return written.error();
    }
    return std::string(login_path);
}

}  // namespace keyturn
