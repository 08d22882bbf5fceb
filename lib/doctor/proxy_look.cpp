#include "doctor/proxy_look.hpp"

#include "base/ascii.hpp"
#include "base/unique_fd.hpp"
#include "cloudflare/credentials.hpp"
#include "doctor/policy_look.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace keyturn {

namespace {

constexpr std::size_t environment_size_max = 128 * 1024;

Secret environment_of(std::uint32_t process) {
    const std::string path = fmt::format("/proc/{}/environ", process);
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    Secret text(environment_size_max);
    std::size_t size = 0;
    while (file.valid() && size < text.size()) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.truncate(size);
    return text;
}

}  // namespace

ProxyChoice proxy_in_entries(std::string_view entries) {
    constexpr std::string_view end("\0", 1);
    ProxyVariables own;
    ProxyVariables in_capitals;
    for (const std::string_view entry : split(entries, end)) {
        const auto equals = entry.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = entry.substr(0, equals);
        const std::string_view value = entry.substr(equals + 1);
        if (name == "https_proxy") own.https_proxy = value;
        if (name == "no_proxy") own.no_proxy = value;
        if (name == "HTTPS_PROXY") in_capitals.https_proxy = value;
        if (name == "NO_PROXY") in_capitals.no_proxy = value;
    }
    if (own.https_proxy.empty()) own.https_proxy = in_capitals.https_proxy;
    if (own.no_proxy.empty()) own.no_proxy = in_capitals.no_proxy;
    return proxy_in(own);
}

ProxyChoice look_at_proxy(const ProxyPolicy& policy, const UnitSettings& settings,
                          std::uint32_t process) {
    if (policy.url.empty()) {
        const auto own = static_cast<std::uint32_t>(::getpid());
        return proxy_in_entries(environment_of(process > 0 ? process : own).reveal());
    }
    if (policy.login == CredentialSource{}) return make_proxy(policy, Secret());
    const auto text = text_of_credential(policy.login, settings);
    if (!text) return Error{Fault::denied, "the login of the proxy: " + text.error().text, {}};
    const auto login = find_proxy_login(text->reveal());
    if (!login) return Error{Fault::denied, "the login of the proxy " + login.error().text, {}};
    return make_proxy(policy, Secret::copy_of(*login));
}

}  // namespace keyturn
