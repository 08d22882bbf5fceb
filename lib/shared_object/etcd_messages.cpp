#include "shared_object/etcd_messages.hpp"

#include "base/ascii.hpp"
#include "json/json.hpp"
#include "token/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace keyturn {

namespace {

// The codes of gRPC that etcd answers with.
constexpr std::int64_t permission_denied = 7;
constexpr std::int64_t resource_exhausted = 8;
constexpr std::int64_t unauthenticated = 16;

Error invalid(std::string_view text) {
    return {Fault::invalid, std::string(text)};
}

void append_base64(Secret& text, std::string_view bytes) {
    text.append(encode_base64(bytes).reveal());
}

/// A string of JSON with its quotes.
void append_string(Secret& text, std::string_view value) {
    text.append("\"");
    for (const char c : value) {
        if (c == '"' || c == '\\') text.append("\\");
        if (static_cast<unsigned char>(c) < ' ') {
            text.append(fmt::format("\\u{:04x}", static_cast<unsigned char>(c)));
        } else {
            text.append({&c, 1});
        }
    }
    text.append("\"");
}

/// A condition on the revision of a key, and what is done if it holds.
Secret begin_transaction(std::string_view key, std::string_view revision) {
    Secret text = Secret::copy_of(R"({"compare":[{"key":")");
    append_base64(text, key);
    text.append(R"(","target":"MOD","result":"EQUAL","mod_revision":")");
    text.append(revision);
    text.append(R"("}],"success":[)");
    return text;
}

bool is_true(const Json* value) {
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

/// The number of a member that is a string of digits, as the gateway writes it.
Result<ObjectVersion> number_in(const Json* object, const char* name) {
    const std::string_view digits = object == nullptr ? "" : text_member(*object, name);
    const auto number = to_number<std::int64_t>(digits);
    if (!number || *number <= 0) return invalid("the answer has no revision");
    return ObjectVersion(std::to_string(*number));
}

const Json* first_of(const Json* array) {
    return array != nullptr && array->is_array() && !array->empty() ? &array->front() : nullptr;
}

/// The answer of the range in a transaction.
const Json* range_in(const Json& root) {
    const Json* response = first_of(member(root, "responses"));
    return response == nullptr ? nullptr : member(*response, "response_range");
}

/// The number and the message of an error. There are two forms.
struct EtcdError {
    std::int64_t code = 0;
    std::string message;  ///< Never shown.
};

EtcdError error_in(std::string_view body) {
    EtcdError found;
    const auto document = parse_json(body);
    if (!document) return found;
    const Json* object = member(document->root, "error");
    const char* name = "grpc_code";
    if (object == nullptr || !object->is_object()) {
        object = &document->root;
        name = "code";
    }
    const Json* code = member(*object, name);
    if (code != nullptr && code->is_number_integer()) found.code = code->get<std::int64_t>();
    found.message = text_member(*object, "message");
    return found;
}

bool says(const EtcdError& error, std::string_view words) {
    return error.message.find(words) != std::string::npos;
}

bool writes(EtcdCall call) {
    return call == EtcdCall::swap || call == EtcdCall::remove;
}

std::string context_of(EtcdCall call, const std::string& endpoint) {
    constexpr std::array<std::string_view, 4> words{"read the object in", "replace the object in",
                                                    "delete the object in", "log in to"};
    return fmt::format("cannot {} etcd at {}", words[static_cast<std::size_t>(call)], endpoint);
}

struct Meaning {
    Fault fault = Fault::invalid;
    std::string_view text;
};

/// An answer after which nothing was done, and that no other endpoint gives in another way.
std::optional<Meaning> definite_meaning(const HttpResponse& response, const EtcdError& error) {
    if (response.body.reveal().find("CommonName of client") != std::string_view::npos) {
        return Meaning{Fault::denied,
                       "etcd with authentication refuses a client certificate that has a common "
                       "name; make one without it (an empty subject) for `cert_file`"};
    }
    if (says(error, "user name is empty")) {
        return Meaning{Fault::denied, "etcd wants a user; set `user` and `password`"};
    }
    if (says(error, "invalid user ID or password")) {
        return Meaning{Fault::denied,
                       "the user or the password is wrong; correct `user` or the "
                       "credential that `password` names"};
    }
    if (says(error, "authentication is not enabled")) {
        return Meaning{Fault::denied,
                       "etcd asks for no login; run `etcdctl auth enable`, or remove "
                       "`user` and `password`"};
    }
    if (says(error, "database space exceeded")) {
        return Meaning{Fault::denied,
                       "etcd has no space left; compact and defragment it, then run "
                       "`etcdctl alarm disarm`"};
    }
    if (error.code == permission_denied || response.status == 403) {
        return Meaning{Fault::denied,
                       "the user may not do this; grant its role readwrite on the "
                       "prefix"};
    }
    if (error.code == unauthenticated || response.status == 401) {
        return Meaning{Fault::denied,
                       "etcd does not accept the login; check `user` and `password`"};
    }
    if (error.code == resource_exhausted || response.status == 429) {
        return Meaning{Fault::busy, "etcd wants fewer requests"};
    }
    if (response.status == 404 || (response.status >= 300 && response.status < 400)) {
        return Meaning{Fault::invalid, "this is no JSON gateway of etcd (v3); correct `endpoints`"};
    }
    if (response.status >= 400 && response.status < 500 && response.status != 408) {
        return Meaning{Fault::invalid, "etcd does not take the request"};
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> revision_of(const ObjectVersion& version) {
    if (version.empty()) return std::string("0");
    const auto number = to_number<std::int64_t>(version);
    if (number && *number > 0) return std::to_string(*number);
    return invalid("the version of the object is not one of etcd");
}

Secret etcd_read(std::string_view key, std::string_view revision) {
    Secret text = begin_transaction(key, revision);
    text.append(R"({"request_range":{"key":")");
    append_base64(text, key);
    text.append(R"(","keys_only":true}}],"failure":[{"request_range":{"key":")");
    append_base64(text, key);
    text.append(R"("}}]})");
    return text;
}

Secret etcd_swap(std::string_view key, std::string_view revision, std::string_view value) {
    Secret text = begin_transaction(key, revision);
    text.append(R"({"request_put":{"key":")");
    append_base64(text, key);
    text.append(R"(","value":")");
    append_base64(text, value);
    text.append(R"("}}]})");
    return text;
}

Secret etcd_remove(std::string_view key) {
    Secret text = Secret::copy_of(R"({"key":")");
    append_base64(text, key);
    text.append(R"("})");
    return text;
}

Secret etcd_authenticate(std::string_view user, const Secret& password) {
    Secret text = Secret::copy_of(R"({"name":)");
    append_string(text, user);
    text.append(R"(,"password":)");
    append_string(text, password.reveal());
    text.append("}");
    return text;
}

Result<ObjectReading> read_answer(std::string_view body, const ObjectVersion& known) {
    const auto document = parse_json(body);
    if (!document) return document.error();
    const Json* range = range_in(document->root);
    if (range == nullptr) return invalid("the answer is not that of a transaction");
    ObjectReading reading;
    const bool is_known = is_true(member(document->root, "succeeded"));
    const Json* pair = first_of(member(*range, "kvs"));
    if (pair == nullptr) {
        // That revision 0 "still" holds says nothing but that the key does not exist.
        if (is_known && !known.empty()) return invalid("the answer contradicts itself");
        return reading;
    }
    const auto revision = number_in(pair, "mod_revision");
    if (!revision) return revision.error();
    reading.version = *revision;
    reading.found = ObjectReading::Found::unchanged;
    if (is_known && *revision == known) return reading;
    if (is_known) return invalid("the answer contradicts itself");
    const auto value = decode_base64(text_member(*pair, "value"));
    if (!value) return invalid("the value in the answer is not base64");
    reading.found = ObjectReading::Found::present;
    reading.text = value->reveal();
    return reading;
}

Result<ObjectVersion> swap_answer(std::string_view body) {
    const auto document = parse_json(body);
    if (!document) return document.error();
    const auto revision = number_in(member(document->root, "header"), "revision");
    if (!revision) return revision.error();
    return is_true(member(document->root, "succeeded")) ? *revision : ObjectVersion();
}

Result<Secret> authenticate_answer(std::string_view body) {
    const auto document = parse_json(body);
    if (!document) return document.error();
    const std::string_view token = text_member(document->root, "token");
    if (token.empty()) return invalid("the answer has no token");
    return Secret::copy_of(token);
}

EtcdFailure failure_of_etcd(EtcdCall call, const std::string& endpoint,
                            const HttpResponse& response) {
    const EtcdError seen = error_in(response.body.reveal());
    EtcdFailure failure;
    failure.token_is_old = seen.code == unauthenticated || says(seen, "invalid auth token") ||
                           says(seen, "revision of auth store is old");
    auto meaning = definite_meaning(response, seen);
    if (!meaning) {
        failure.another_may_help = !writes(call);
        meaning =
            Meaning{writes(call) ? Fault::ambiguous : Fault::unreachable,
                    "etcd cannot do it now; if this lasts, check that most of its members run, "
                    "and that its certificate is also one for clients (clientAuth)"};
    }
    const std::string code = seen.code == 0 ? "" : fmt::format(", code {}", seen.code);
    failure.error = {meaning->fault, fmt::format("{}: HTTP {}{}: {}", context_of(call, endpoint),
                                                 response.status, code, meaning->text)};
    if (meaning->fault == Fault::busy) failure.error.retry_after = std::chrono::seconds{1};
    return failure;
}

EtcdFailure failure_without_etcd(EtcdCall call, const std::string& endpoint, Error error) {
    EtcdFailure failure;
    if (writes(call) && error.fault == Fault::invalid) error.fault = Fault::ambiguous;
    if (!writes(call) && error.fault == Fault::ambiguous) error.fault = Fault::unreachable;
    failure.another_may_help = error.fault == Fault::unreachable;
    failure.error = with_context(context_of(call, endpoint), std::move(error));
    return failure;
}

}  // namespace keyturn
