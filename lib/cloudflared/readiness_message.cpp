#include "cloudflared/readiness_message.hpp"

#include <nlohmann/json.hpp>

#include <cctype>
#include <cstddef>

namespace keyturn {

namespace {

/// cloudflared makes four connections. An answer that claims more than this is not cloudflared's.
constexpr std::int64_t connections_max = 1'000;
constexpr std::size_t uuid_characters = 36;

bool is_dash_place(std::size_t index) {
    return index == 8 || index == 13 || index == 18 || index == 23;
}

/// A UUID in lower case, as the API writes it; "" for anything else.
std::string uuid_of(const std::string& text) {
    if (text.size() != uuid_characters) return {};
    std::string uuid;
    for (std::size_t index = 0; index < text.size(); ++index) {
        const auto c = static_cast<unsigned char>(text[index]);
        const bool fits = is_dash_place(index) ? c == '-' : std::isxdigit(c) != 0;
        if (!fits) return {};
        uuid += static_cast<char>(std::tolower(c));
    }
    return uuid;
}

std::string uuid_in(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) return {};
    return uuid_of(found->get_ref<const std::string&>());
}

/// Parses without exceptions, because their texts quote the input.
nlohmann::json object_of(std::string_view body) {
    nlohmann::json object = nlohmann::json::parse(body, nullptr, false);
    // The library takes a NUL for the end of the text and ignores everything after it.
    const bool cut_off = body.find('\0') != std::string_view::npos;
    if (cut_off || !object.is_object()) return nlohmann::json(nlohmann::json::value_t::discarded);
    return object;
}

}  // namespace

std::optional<Readiness> read_ready(int status, std::string_view body) {
    if (status != 200 && status != 503) return std::nullopt;
    const nlohmann::json object = object_of(body);
    if (object.is_discarded()) return std::nullopt;
    const auto connections = object.find("readyConnections");
    if (connections == object.end() || !connections->is_number_integer()) return std::nullopt;
    const auto count = connections->get<std::int64_t>();
    if (count < 0 || count > connections_max) return std::nullopt;
    Readiness readiness;
    readiness.connector_id = uuid_in(object, "connectorId");
    readiness.connections = static_cast<int>(count);
    readiness.serving = status == 200 && count > 0;
    return readiness;
}

std::optional<TunnelDiagnosis> read_tunnel_diagnosis(int status, std::string_view body) {
    if (status != 200) return std::nullopt;
    const nlohmann::json object = object_of(body);
    if (object.is_discarded()) return std::nullopt;
    TunnelDiagnosis diagnosis{uuid_in(object, "tunnelID"), uuid_in(object, "connectorID")};
    if (diagnosis.tunnel.empty()) return std::nullopt;
    return diagnosis;
}

}  // namespace keyturn
