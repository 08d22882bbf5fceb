#include "shared_object/aws_signature.hpp"

#include "base/ascii.hpp"
#include "base/invariant.hpp"
#include "token/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace keyturn {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view service = "s3";
constexpr std::string_view scope_end = "aws4_request";

Secret hmac(const Secret& key, std::string_view text) {
    Secret digest(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    const unsigned char* done =
        HMAC(EVP_sha256(), key.reveal().data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(),
             reinterpret_cast<unsigned char*>(digest.data()), &size);
    invariant(done != nullptr, "HMAC-SHA-256 is always available");
    digest.truncate(size);
    return digest;
}

/// The key for one day, region and service.
Secret signing_key(const Secret& secret_key, std::string_view day, std::string_view region) {
    Secret key = Secret::copy_of("AWS4");
    key.append(secret_key.reveal());
    for (const std::string_view part : {day, region, service, scope_end}) key = hmac(key, part);
    return key;
}

/// "20130524T000000Z"
std::string basic_form(WallTime now) {
    std::string text = to_text(now);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::string hex(const Secret& bytes) {
    std::string text;
    for (const char c : bytes.reveal()) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return text;
}

}  // namespace

AwsSignature sign_for_s3(const AwsRequest& request, const AwsCredential& credential,
                         std::string_view region, WallTime now) {
    AwsSignature signature;
    signature.date = basic_form(now);
    signature.content_sha256 = sha256_hex({request.body});
    auto headers = request.headers;
    headers.emplace_back("x-amz-content-sha256", signature.content_sha256);
    headers.emplace_back("x-amz-date", signature.date);
    std::ranges::sort(headers);
    std::string lines;
    std::string names;
    for (const auto& [name, value] : headers) {
        lines += fmt::format("{}:{}\n", name, value);
        names += names.empty() ? name : ";" + name;
    }
    const std::string canonical =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, request.query, lines,
                    names, signature.content_sha256);
    const std::string day = signature.date.substr(0, signature.date.find('T'));
    const std::string scope = fmt::format("{}/{}/{}/{}", day, region, service, scope_end);
    const std::string to_sign =
        fmt::format("{}\n{}\n{}\n{}", algorithm, signature.date, scope, sha256_hex({canonical}));
    signature.authorization = fmt::format(
        "{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm, credential.key_id, scope,
        names, hex(hmac(signing_key(credential.secret_key, day, region), to_sign)));
    return signature;
}

}  // namespace keyturn
