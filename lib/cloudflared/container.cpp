#include "cloudflared/container.hpp"

#include "cloudflared/unit_words.hpp"
#include "model/installed_names.hpp"

#include <fmt/format.h>

#include <string_view>

namespace keyturn {

namespace {

constexpr std::string_view policy_step =
    "then name 127.0.0.1:20241 in `metrics_address:` of the policy (CONTAINERS in keyturn.yaml(5) "
    "shows the whole unit)";

/// podman's generator writes the service of a .container file into one of the generators'
/// directories.
bool is_quadlet(const UnitSettings& settings) {
    return !settings.files.empty() && settings.files.front().starts_with("/run/systemd/generator");
}

/// "web" for "web.service".
std::string_view stem_of(std::string_view unit) {
    return unit.substr(0, unit.rfind('.'));
}

std::string quadlet_remedy(const UnitSettings& settings) {
    return fmt::format(
        "keyturnctl does not rewrite it, so change {}.container: under [Service] add "
        "'LoadCredential=token:{}/TUNNEL'; under [Container] remove every other token, set "
        "'User=0', 'Volume=%d/token:/run/keyturn/token:ro' and "
        "'PublishPort=127.0.0.1:20241:20241', and let Exec= be 'tunnel --metrics 0.0.0.0:20241 run "
        "--token-file /run/keyturn/token'; {}",
        on_one_line(stem_of(settings.name)), tokens_directory, policy_step);
}

bool is_below(std::string_view path, std::string_view directory) {
    while (directory.ends_with('/')) directory.remove_suffix(1);
    return path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::string mount_of_every_tunnel(const CloudflaredCommand& command) {
    for (const auto& [inside, source] : command.mounts) {
        if (!source.starts_with('/')) continue;
        if (is_below(source, tokens_directory) || is_below(tokens_directory, source)) return source;
    }
    return {};
}

std::string container_remedy(const UnitSettings& settings) {
    if (is_quadlet(settings)) return quadlet_remedy(settings);
    std::string program = "container";
    for (const auto& arguments : settings.exec_start)
        if (auto found = container_program(arguments); !found.empty()) program = std::move(found);
    return fmt::format(
        "keyturnctl does not rewrite it, so change the unit: add "
        "'LoadCredential=token:{0}/TUNNEL'; in its {1} command remove every other token, put "
        "'--user 0 --volume %d/token:/run/keyturn/token:ro --publish 127.0.0.1:20241:20241' before "
        "the image and 'tunnel --metrics 0.0.0.0:20241 run --token-file /run/keyturn/token' after "
        "it; {2}",
        tokens_directory, program, policy_step);
}

}  // namespace keyturn
