#include "shared_object/etcd.hpp"

#include "clock/clock.hpp"
#include "http/deadline.hpp"
#include "shared_object/condition_proof.hpp"
#include "shared_object/etcd_messages.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace keyturn {

namespace {

/// One request: an answer with the status 200, or why there is none.
struct Attempt {
    HttpResponse response;
    std::optional<EtcdFailure> failure;
};

std::string_view path_of(EtcdCall call) {
    if (call == EtcdCall::authenticate) return "/v3/auth/authenticate";
    return call == EtcdCall::remove ? "/v3/kv/deleterange" : "/v3/kv/txn";
}

class Etcd final : public SharedObject {
  public:
    Etcd(HttpClient& http, Clock& clock, EtcdOptions options)
        : http_(http), clock_(clock), options_(std::move(options)) {}

    Task<Result<ObjectReading>> read(ObjectVersion known) override {
        const auto revision = revision_of(known);
        if (!revision) co_return revision.error();
        Secret body = etcd_read(options_.key, *revision);
        const auto response = co_await ask(EtcdCall::read, std::move(body));
        if (!response) co_return response.error();
        auto reading = read_answer(response->body.reveal(), known);
        if (!reading) co_return makes_no_sense(EtcdCall::read, reading.error());
        if (reading->text.size() >= object_bytes_max) {
            co_return Error{Fault::invalid,
                            fmt::format("the key {} in etcd is too large, so it is not keyturn's; "
                                        "check `prefix`",
                                        options_.key)};
        }
        co_return reading;
    }

    Task<Result<ObjectVersion>> swap(ObjectVersion from, std::string text) override {
        const auto fits = check_size_of_object(text);
        if (!fits) co_return fits.error();
        const auto revision = revision_of(from);
        if (!revision) co_return revision.error();
        Secret body = etcd_swap(options_.key, *revision, text);
        const auto response = co_await ask(EtcdCall::swap, std::move(body));
        if (!response) co_return response.error();
        const auto version = swap_answer(response->body.reveal());
        if (!version) co_return makes_no_sense(EtcdCall::swap, version.error());
        if (version->empty()) {
            co_return Error{Fault::conflict,
                            "cannot replace the object in etcd: another host was faster"};
        }
        co_return *version;
    }

    Task<> wait_for_change(ObjectVersion, BootTime until) override {
        co_await clock_.sleep_until(until);
    }

    Task<Result<void>> check_conditions(std::string scratch) override {
        const auto valid = check_scratch_name(scratch);
        if (!valid) co_return valid.error();
        EtcdOptions options = options_;
        options.key = fmt::format("{}/selftest/{}", options_.key, scratch);
        Etcd object(http_, clock_, std::move(options));
        // A check that was interrupted has left it.
        const auto cleared = co_await object.remove();
        if (!cleared) co_return cleared.error();
        const auto proven = co_await prove_conditions(object, clock_);
        const auto cleaned = co_await object.remove();
        if (!proven) co_return proven;
        co_return cleaned;
    }

  private:
    Task<Result<void>> remove() {
        Secret body = etcd_remove(options_.key);
        const auto response = co_await ask(EtcdCall::remove, std::move(body));
        if (!response) co_return response.error();
        co_return Result<void>();
    }

    /// Asks one endpoint after the other until one has answered, or may have acted.
    Task<Result<HttpResponse>> ask(EtcdCall call, Secret body) {
        Error last{Fault::invalid, "`endpoints` names no endpoint of etcd"};
        const std::size_t count = options_.endpoints.size();
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t which = (preferred_ + i) % count;
            Secret copy = body.clone();
            auto attempt =
                co_await ask_with_token(call, options_.endpoints[which], std::move(copy));
            if (!attempt.failure) {
                preferred_ = which;
                co_return std::move(attempt.response);
            }
            last = attempt.failure->error;
            if (!attempt.failure->another_may_help) break;
        }
        co_return last;
    }

    /// Logs in where there is a user, and once more if the token is old.
    Task<Attempt> ask_with_token(EtcdCall call, std::string endpoint, Secret body) {
        bool logged_in = false;
        for (;;) {
            if (!options_.user.empty() && token_.empty()) {
                logged_in = true;
                auto login = co_await log_in(endpoint);
                if (login.failure) co_return login;
            }
            Secret copy = body.clone();
            auto attempt = co_await send(call, endpoint, std::move(copy));
            const bool again = attempt.failure && attempt.failure->token_is_old &&
                               !options_.user.empty() && !logged_in;
            if (attempt.failure && attempt.failure->token_is_old) token_ = Secret();
            if (!again) co_return attempt;
        }
    }

    Task<Attempt> log_in(std::string endpoint) {
        Attempt attempt;
        const auto failed = [&](Error error) {
            attempt.failure = EtcdFailure();
            attempt.failure->error = std::move(error);
        };
        const auto text = options_.read_password();
        const Result<std::string_view> password =
            text ? find_store_password(text->reveal()) : text.error();
        if (!password) {
            failed(with_context("the password for etcd", password.error()));
            co_return attempt;
        }
        const Secret copy = Secret::copy_of(*password);
        Secret body = etcd_authenticate(options_.user, copy);
        attempt = co_await send(EtcdCall::authenticate, endpoint, std::move(body));
        if (attempt.failure) co_return attempt;
        auto token = authenticate_answer(attempt.response.body.reveal());
        if (token) {
            token_ = std::move(*token);
        } else {
            failed(makes_no_sense(EtcdCall::authenticate, token.error()));
        }
        co_return attempt;
    }

    Task<Attempt> send(EtcdCall call, std::string endpoint, Secret body) {
        Attempt attempt;
        const auto url = parse_url(endpoint);
        if (!url) {
            attempt.failure = EtcdFailure();
            attempt.failure->error = {Fault::invalid,
                                      "`endpoints` has to have URLs of etcd, such as "
                                      "https://10.0.0.1:2379; http:// is only for loopback"};
            co_return attempt;
        }
        HttpRequest request;
        request.method = "POST";
        request.target = fmt::format("{}{}", url->base_path, path_of(call));
        request.body = std::move(body);
        const bool has_token = call != EtcdCall::authenticate && !token_.empty();
        if (has_token) request.headers.push_back({"Authorization", token_.clone()});
        HttpOrigin origin = url->origin;
        auto sending = http_.send(std::move(origin), std::move(request));
        auto response = co_await with_deadline(options_.deadline, std::move(sending));
        if (!response) {
            const Error late{Fault::ambiguous,
                             fmt::format("no answer within {} ms", options_.deadline.count())};
            attempt.failure = failure_without_etcd(call, endpoint, late);
        } else if (!*response) {
            attempt.failure = failure_without_etcd(call, endpoint, response->error());
        } else if ((*response)->status != 200) {
            attempt.failure = failure_of_etcd(call, endpoint, **response);
        } else {
            attempt.response = std::move(**response);
        }
        co_return attempt;
    }

    [[nodiscard]] Error makes_no_sense(EtcdCall call, Error why) const {
        const std::string& endpoint = options_.endpoints[preferred_];
        return failure_without_etcd(call, endpoint, std::move(why)).error;
    }

    HttpClient& http_;
    Clock& clock_;
    EtcdOptions options_;
    std::size_t preferred_ = 0;  ///< The endpoint that has answered last.
    Secret token_;               ///< etcd forgets it after minutes.
};

}  // namespace

std::unique_ptr<SharedObject> make_etcd(HttpClient& http, Clock& clock, EtcdOptions options) {
    return std::make_unique<Etcd>(http, clock, std::move(options));
}

}  // namespace keyturn
