#include "integration/shared_object/s3_model.hpp"

#include "integration/peers/certificates.hpp"

#include <stdexcept>

namespace keyturn {

namespace {

/// The text of a member of a flat JSON object.
std::string member_of(const std::string& json, const std::string& name) {
    const std::string before = "\"" + name + "\": \"";
    const auto begin = json.find(before);
    if (begin == std::string::npos) throw std::runtime_error("the model said: " + json);
    const auto start = begin + before.size();
    return json.substr(start, json.find('"', start) - start);
}

}  // namespace

BucketOptions s3_options(const std::string& endpoint, const std::string& key) {
    BucketOptions options;
    options.endpoint = endpoint;
    options.bucket = "fleet";
    options.key = key;
    options.read_credential = [] { return Result<Secret>(Secret::copy_of(s3_credential)); };
    return options;
}

S3Model::S3Model() {
    const Identity identity = make_identity(CertificateWish());
    testing_files::put(sandbox_ / "server.pem", identity.certificate);
    testing_files::put(sandbox_ / "server.key", identity.key);
    const std::string program = KEYTURN_SOURCES "/tests/sandbox/s3/sandbox-s3";
    process_.emplace(
        std::vector<std::string>{"/usr/bin/python3", "-IB", program, "--certificate",
                                 sandbox_ / "server.pem", "--key", sandbox_ / "server.key"},
        sandbox_ / "log");
    const std::string line = process_->first_line();
    if (line.empty()) throw std::runtime_error(testing_files::content_of(sandbox_ / "log"));
    addresses_.store = member_of(line, "s3");
    addresses_.control = member_of(line, "control");
}

std::string S3Model::control(const std::string& method, const std::string& target,
                             const std::string& body) const {
    boost::asio::io_context context{1};
    const auto http = make_http_client(context.get_executor(), HttpClientOptions());
    const auto colon = addresses_.control.find(':');
    const HttpOrigin origin{addresses_.control.substr(0, colon),
                            addresses_.control.substr(colon + 1), false};
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = Secret::copy_of(body);
    std::string answer;
    auto keep = [&answer](std::exception_ptr error, Result<HttpResponse> response) {
        if (error || !response || response->status != 200) {
            ADD_FAILURE() << "the control side of the model failed";
        } else {
            answer = response->body.reveal();
        }
    };
    boost::asio::co_spawn(context, http->send(origin, std::move(request)), std::move(keep));
    context.run();
    return answer;
}

}  // namespace keyturn
