#include "shared_object/bucket.hpp"

#include "base/ascii.hpp"
#include "clock/clock.hpp"
#include "http/deadline.hpp"
#include "shared_object/bucket_answer.hpp"
#include "shared_object/condition_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

constexpr std::size_t bucket_name_size_max = 63;
constexpr std::size_t key_size_max = 1024;

/// One more header of a request, which is signed. An empty name is none.
struct Condition {
    std::string_view name;
    std::string value;
};

bool is_bucket_name(std::string_view name) {
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; };
    return !name.empty() && name.size() <= bucket_name_size_max && name != "." && name != ".." &&
           std::ranges::all_of(name, allowed);
}

bool is_region(std::string_view region) {
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '-'; };
    return !region.empty() && region.size() <= bucket_name_size_max &&
           std::ranges::all_of(region, allowed);
}

/// A segment "." or ".." would name another object on the way through a proxy.
bool is_key(std::string_view key) {
    return !key.empty() && key.size() <= key_size_max &&
           std::ranges::none_of(split(key, "/"), [](std::string_view segment) {
               return segment.empty() || segment == "." || segment == "..";
           });
}

std::string path_of(const std::string& key) {
    std::string path;
    for (const std::string_view segment : split(key, "/")) path += "/" + path_segment(segment);
    return path;
}

Result<HttpUrl> endpoint_of(const BucketOptions& options) {
    const auto invalid = [](std::string text) { return Error{Fault::invalid, std::move(text)}; };
    auto url = parse_url(options.endpoint);
    if (!url) {
        return invalid(
            "`endpoint` of the bucket is not the URL of an S3 API; it should look like "
            "https://ACCOUNT.r2.cloudflarestorage.com or https://s3.eu-west-1.amazonaws.com");
    }
    if (!is_bucket_name(options.bucket)) return invalid("`bucket` is not the name of a bucket");
    if (!is_region(options.region)) {
        return invalid("`region` is not the name of a region; for R2 it is auto");
    }
    if (!is_key(options.key)) return invalid("the key of the shared object has an empty segment");
    return url;
}

/// One bucket, with one request at a time.
class BucketClient {
  public:
    BucketClient(HttpClient& http, Clock& clock, const BucketOptions& options)
        : http_(http),
          clock_(clock),
          url_(endpoint_of(options)),
          place_{options.bucket, options.endpoint, options.region},
          read_credential_(options.read_credential),
          deadline_(options.deadline) {}

    [[nodiscard]] const BucketPlace& place() const { return place_; }

    /// Returns every answer that has a status. `path` begins after the bucket.
    Task<Result<HttpResponse>> ask(BucketCall call, std::string path, Condition condition,
                                   std::string text) {
        auto request = make_request(call, path, condition, text);
        if (!request) co_return request.error();
        HttpOrigin origin = url_->origin;
        auto sending = http_.send(std::move(origin), std::move(*request));
        auto response = co_await with_deadline(deadline_, std::move(sending));
        if (!response) {
            const Error late{Fault::ambiguous,
                             fmt::format("no answer within {} ms", deadline_.count())};
            co_return fault_without_bucket(call, place_, late);
        }
        if (!*response) co_return fault_without_bucket(call, place_, response->error());
        co_return std::move(*response);
    }

  private:
    Result<HttpRequest> make_request(BucketCall call, const std::string& path,
                                     const Condition& condition, const std::string& text) const {
        if (!url_) return url_.error();
        const auto credential_text = read_credential_();
        if (!credential_text)
            return with_context("the bucket's credential", credential_text.error());
        const auto credential = find_bucket_credential(credential_text->reveal());
        if (!credential) return credential.error();
        const bool asks = call == BucketCall::ask_versioning;
        const std::string target = fmt::format("{}/{}{}", url_->base_path, place_.bucket, path);
        HttpRequest request;
        request.method = method_of(call);
        request.target = asks ? target + "?versioning=" : target;
        request.content_type = "application/octet-stream";
        // Ceph writes its errors in JSON for a client that accepts JSON.
        request.accept = "*/*";
        request.body = Secret::copy_of(text);
        AwsRequest to_sign{request.method,
                           target,
                           asks ? "versioning=" : "",
                           {{"host", authority_of(url_->origin)}},
                           text};
        if (!text.empty()) to_sign.headers.emplace_back("content-type", request.content_type);
        if (!condition.name.empty()) {
            to_sign.headers.emplace_back(lower(condition.name), condition.value);
            add(request, condition.name, condition.value);
        }
        const AwsSignature signature =
            sign_for_s3(to_sign, *credential, place_.region, clock_.wall_now());
        add(request, "X-Amz-Date", signature.date);
        add(request, "X-Amz-Content-Sha256", signature.content_sha256);
        add(request, "Authorization", signature.authorization);
        return request;
    }

    static std::string method_of(BucketCall call) {
        if (call == BucketCall::remove) return "DELETE";
        return call == BucketCall::create || call == BucketCall::replace ? "PUT" : "GET";
    }

    static void add(HttpRequest& request, std::string_view name, std::string_view value) {
        request.headers.push_back({std::string(name), Secret::copy_of(value)});
    }

    HttpClient& http_;
    Clock& clock_;
    Result<HttpUrl> url_;
    BucketPlace place_;
    ReadStoreCredential read_credential_;
    std::chrono::milliseconds deadline_;
};

class Bucket final : public SharedObject {
  public:
    Bucket(HttpClient& http, Clock& clock, BucketOptions options)
        : http_(http),
          clock_(clock),
          options_(std::move(options)),
          client_(http_, clock_, options_),
          path_(path_of(options_.key)) {}

    Task<Result<ObjectReading>> read(ObjectVersion known) override {
        Condition condition;
        if (!known.empty()) {
            condition.name = "If-None-Match";
            condition.value = etag_text(known, form_);
        }
        const auto response =
            co_await client_.ask(BucketCall::read, path_, std::move(condition), std::string());
        if (!response) co_return response.error();
        co_return reading_of(*response, known);
    }

    Task<Result<ObjectVersion>> swap(ObjectVersion from, std::string text) override {
        const auto fits = check_size_of_object(text);
        if (!fits) co_return fits.error();
        auto swapped = co_await put(from, text, form_);
        const bool refused = !swapped && swapped.error().fault == Fault::conflict;
        if (swapped && !from.empty()) finds_form_ = false;
        const bool may_be_form = refused && finds_form_ && !from.empty();
        if (!may_be_form) co_return swapped;
        auto bare = co_await put(from, text, EtagForm::bare);
        if (!bare) co_return bare;
        form_ = EtagForm::bare;
        finds_form_ = false;
        co_return bare;
    }

    Task<> wait_for_change(ObjectVersion, BootTime until) override {
        co_await clock_.sleep_until(until);
    }

    Task<Result<void>> check_conditions(std::string scratch) override {
        const auto valid = check_scratch_name(scratch);
        if (!valid) co_return valid.error();
        BucketOptions options = options_;
        options.key = fmt::format("{}/selftest/{}", options_.key, scratch);
        Bucket object(http_, clock_, std::move(options));
        object.finds_form_ = true;
        // A check that was interrupted has left it.
        const auto cleared = co_await object.remove();
        if (!cleared) co_return cleared.error();
        const auto proven = co_await prove_conditions(object, clock_);
        const auto cleaned = co_await object.remove();
        if (!proven) co_return proven;
        form_ = object.form_;
        co_return cleaned;
    }

  private:
    Result<ObjectReading> reading_of(const HttpResponse& response,
                                     const ObjectVersion& known) const {
        ObjectReading reading;
        if (says_absent(response)) return reading;
        if (response.status == 304 && !known.empty()) {
            reading.found = ObjectReading::Found::unchanged;
            reading.version = known;
            return reading;
        }
        const auto version = version_in(response.header("etag"));
        if (response.status != 200 || !version) {
            return fault_of_bucket(BucketCall::read, client_.place(), response);
        }
        if (response.body.size() >= object_bytes_max) {
            return Error{Fault::invalid, fmt::format("the object {} in bucket {} is too large, so "
                                                     "it is not keyturn's; check `prefix`",
                                                     options_.key, options_.bucket)};
        }
        reading.version = *version;
        reading.found = ObjectReading::Found::unchanged;
        if (*version == known) return reading;
        reading.found = ObjectReading::Found::present;
        reading.text = response.body.reveal();
        return reading;
    }

    /// A success without a usable ETag happened, and nobody knows which version it has made.
    Task<Result<ObjectVersion>> put(ObjectVersion from, std::string text, EtagForm form) {
        const BucketCall call = from.empty() ? BucketCall::create : BucketCall::replace;
        Condition condition;
        condition.name = from.empty() ? "If-None-Match" : "If-Match";
        condition.value = from.empty() ? "*" : etag_text(from, form);
        const auto response =
            co_await client_.ask(call, path_, std::move(condition), std::move(text));
        if (!response) co_return response.error();
        const bool done =
            response->status == 200 || response->status == 201 || response->status == 204;
        const auto version = version_in(response->header("etag"));
        if (done && version) co_return *version;
        co_return fault_of_bucket(call, client_.place(), *response);
    }

    Task<Result<void>> remove() {
        const auto response =
            co_await client_.ask(BucketCall::remove, path_, Condition(), std::string());
        if (!response) co_return response.error();
        const bool gone = says_absent(*response) || response->status == 200 ||
                          response->status == 202 || response->status == 204;
        if (gone) co_return Result<void>();
        co_return fault_of_bucket(BucketCall::remove, client_.place(), *response);
    }

    HttpClient& http_;
    Clock& clock_;
    BucketOptions options_;
    BucketClient client_;
    std::string path_;
    EtagForm form_ = EtagForm::quoted;
    /// Try the other form, too. Only for an object that nobody else changes: a store that ignores a
    /// form which it does not know would replace every version.
    bool finds_form_ = false;
};

}  // namespace

std::unique_ptr<SharedObject> make_bucket(HttpClient& http, Clock& clock, BucketOptions options) {
    return std::make_unique<Bucket>(http, clock, std::move(options));
}

Task<Result<bool>> bucket_keeps_versions(HttpClient& http, Clock& clock, BucketOptions options) {
    BucketClient client(http, clock, options);
    const auto response =
        co_await client.ask(BucketCall::ask_versioning, std::string(), Condition(), std::string());
    if (!response) co_return response.error();
    const std::string_view body = response->body.reveal();
    if (response->status == 200) co_return xml_word(body, "Status") == "Enabled";
    const bool has_none = response->status == 501 || xml_word(body, "Code") == "NotImplemented";
    if (has_none) co_return false;
    co_return fault_of_bucket(BucketCall::ask_versioning, client.place(), *response);
}

}  // namespace keyturn
