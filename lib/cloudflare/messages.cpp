#include "cloudflare/messages.hpp"

#include "base/ascii.hpp"
#include "cloudflare/safe_text.hpp"
#include "json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace keyturn {

namespace {

constexpr std::size_t errors_max = 8;
constexpr int error_chain_max = 4;
constexpr std::size_t message_size_max = 200;
constexpr std::size_t errors_text_size_max = 600;
constexpr std::size_t value_size_max = 256;
constexpr std::size_t tag_size_max = 40;

Error invalid(std::string text) {
    return Error{Fault::invalid, std::move(text)};
}

std::string safe_member(const Json& object, const char* name) {
    return safe_text(text_member(object, name), value_size_max);
}

/// The code as a number, whether it is written as a number or as a string.
std::optional<std::int64_t> code_of(const Json& error) {
    const Json* code = member(error, "code");
    if (code == nullptr) return std::nullopt;
    if (code->is_number_unsigned() && code->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    if (code->is_number_integer()) return code->get<std::int64_t>();
    const std::string_view text = text_member(error, "code");
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failed != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::string_view message_of(const Json& error) {
    if (error.is_string()) return error.get_ref<const WipedText&>();
    const std::string_view message = text_member(error, "message");
    return message.empty() ? text_member(error, "error") : message;
}

void append(ApiErrors& errors, const Json& error, int depth) {
    if (errors.codes.size() >= errors_max || errors.text.size() >= errors_text_size_max) return;
    const auto code = code_of(error);
    const std::string message = safe_text(message_of(error), message_size_max);
    if (!code && message.empty()) return;
    if (!errors.text.empty()) errors.text += ", ";
    if (code) {
        errors.codes.push_back(*code);
        errors.text += fmt::format("{}", *code);
    }
    if (!message.empty()) errors.text += fmt::format("{}\"{}\"", code ? " " : "", message);
    const Json* chain = member(error, "error_chain");
    if (chain == nullptr || !chain->is_array() || depth >= error_chain_max) return;
    for (const auto& cause : *chain) append(errors, cause, depth + 1);
}

ApiErrors errors_of(const Json& document) {
    ApiErrors errors;
    const Json* listed = member(document, "errors");
    if (listed != nullptr && listed->is_array()) {
        for (const auto& error : *listed) append(errors, error, 0);
    }
    if (errors.text.empty()) append(errors, document, 0);
    return errors;
}

/// Parses a body that reports success. Ignores `messages`: a good answer may carry messages with
/// the codes of errors, such as 10000.
Result<JsonDocument> parse_success(std::string_view body) {
    auto document = parse_json(body);
    if (!document) return document;
    if (!document->root.is_object()) return invalid("the answer is not an object");
    const Json* success = member(document->root, "success");
    if (success == nullptr) return invalid("the answer does not say whether the call succeeded");
    if (!success->is_boolean()) return invalid("'success' in the answer is neither true nor false");
    if (!success->get<bool>()) {
        const auto errors = errors_of(document->root);
        return invalid(fmt::format("the answer reports a failure: {}",
                                   errors.text.empty() ? "no reason given" : errors.text));
    }
    return document;
}

std::optional<Secret> secret_of(const Json* value) {
    if (value == nullptr || !value->is_string()) return std::nullopt;
    const std::string_view text = value->get_ref<const WipedText&>();
    if (text.empty() || text.size() > api_token_answer_size_max) return std::nullopt;
    return Secret::copy_of(text);
}

/// A feature that has no other purpose than to name the host of the connector.
std::string tag_of(const Json& item) {
    const Json* features = member(item, "features");
    if (features == nullptr || !features->is_array()) return {};
    for (const auto& feature : *features) {
        if (!feature.is_string()) continue;
        const std::string_view text = feature.get_ref<const WipedText&>();
        const bool sound = text.size() <= tag_size_max && consists_of(text, "-_");
        if (sound && text.starts_with("keyturn-")) return std::string(text);
    }
    return {};
}

/// Fills in what the connections say; false if all of them are only waiting for a reconnect.
bool take_connections(Connector& connector, const Json& item) {
    const Json* connections = member(item, "conns");
    if (connections == nullptr || !connections->is_array()) return true;
    for (const auto& connection : *connections) {
        const Json* pending = member(connection, "is_pending_reconnect");
        if (pending != nullptr && pending->is_boolean() && pending->get<bool>()) continue;
        ++connector.connections;
        if (connector.origin_ip.empty()) connector.origin_ip = safe_member(connection, "origin_ip");
        if (connector.id.empty()) connector.id = safe_member(connection, "client_id");
    }
    return connector.connections > 0;
}

}  // namespace

ApiErrors parse_errors(std::string_view body) {
    ApiErrors errors;
    const auto document = parse_json(body);
    if (document) errors = errors_of(document->root);
    if (!document && !body.empty()) errors.text = document.error().text;
    if (!body.empty()) errors.form = document ? BodyForm::json : BodyForm::other;
    if (!document && is_page(body)) errors.form = BodyForm::page;
    return errors;
}

Result<TunnelFacts> parse_tunnel(std::string_view body) {
    const auto document = parse_success(body);
    if (!document) return document.error();
    const Json* tunnel = member(document->root, "result");
    if (tunnel == nullptr || !tunnel->is_object()) return invalid("the answer contains no tunnel");
    TunnelFacts facts;
    facts.name = safe_member(*tunnel, "name");
    // Anything but null and "" counts as a date, to be safe: it only stops a rotation.
    const Json* deleted = member(*tunnel, "deleted_at");
    facts.deleted = deleted != nullptr && !deleted->is_null() &&
                    !(deleted->is_string() && deleted->get_ref<const WipedText&>().empty());
    return facts;
}

Result<Secret> parse_token(std::string_view body) {
    const auto document = parse_success(body);
    if (!document) return document.error();
    auto token = secret_of(member(document->root, "result"));
    if (!token) return invalid("the answer contains no token");
    return std::move(*token);
}

Result<std::optional<Secret>> parse_patched(std::string_view body) {
    const auto document = parse_success(body);
    if (!document) return document.error();
    const Json* tunnel = member(document->root, "result");
    if (tunnel == nullptr) return std::optional<Secret>();
    return secret_of(member(*tunnel, "token"));
}

Result<std::vector<Connector>> parse_connectors(std::string_view body) {
    const auto document = parse_success(body);
    if (!document) return document.error();
    const Json* list = member(document->root, "result");
    std::vector<Connector> connectors;
    if (list != nullptr && list->is_null()) return connectors;
    if (list == nullptr || !list->is_array())
        return invalid("the answer contains no list of connectors");
    for (const auto& item : *list) {
        Connector connector;
        connector.id = safe_member(item, "id");
        connector.run_at = safe_member(item, "run_at");
        connector.version = safe_member(item, "version");
        connector.tag = tag_of(item);
        if (!take_connections(connector, item)) continue;
        if (connector.id.empty()) return invalid("the answer lists a connector without an id");
        connector.id = lower(connector.id);  // The same form as the id from /ready.
        connectors.push_back(std::move(connector));
    }
    return connectors;
}

}  // namespace keyturn
