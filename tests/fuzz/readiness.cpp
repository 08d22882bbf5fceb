// The answers of a connector's metrics server: a line with the status, then the body.
#include "cloudflared/readiness_message.hpp"
#include "fuzz/input.hpp"

#include <fmt/format.h>

#include <charconv>

using namespace keyturn;

namespace {

bool is_uuid_or_empty(const std::string& text) {
    return text.empty() ||
           (text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == std::string::npos);
}

void check_ready(const Readiness& readiness) {
    invariant(readiness.connections >= 0 && readiness.connections <= 1000, "they are bounded");
    invariant(is_uuid_or_empty(readiness.connector_id), "an id is a UUID in lower case");
    invariant(readiness.tunnel.empty(), "/ready tells no tunnel");
    invariant(!readiness.serving || readiness.connections > 0, "who serves is connected");
    const auto again = read_ready(readiness.serving ? 200 : 503,
                                  fmt::format(R"({{"readyConnections":{},"connectorId":"{}"}})",
                                              readiness.connections, readiness.connector_id));
    invariant(again == readiness, "an answer is read as it is written");
}

void check_diagnosis(const TunnelDiagnosis& diagnosis) {
    invariant(diagnosis.tunnel.size() == 36, "a diagnosis tells the tunnel");
    invariant(is_uuid_or_empty(diagnosis.tunnel), "a tunnel is a UUID in lower case");
    invariant(is_uuid_or_empty(diagnosis.connector_id), "and so is a connector");
    const auto again =
        read_tunnel_diagnosis(200, fmt::format(R"({{"tunnelID":"{}","connectorID":"{}"}})",
                                               diagnosis.tunnel, diagnosis.connector_id));
    invariant(again == diagnosis, "a diagnosis is read as it is written");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view body = fuzz::text_of(data, size);
    const std::string_view line = fuzz::take_line(body);
    int status = 200;
    std::from_chars(line.data(), line.data() + line.size(), status);
    const auto readiness = read_ready(status, body);
    invariant(!readiness || status == 200 || status == 503, "other answers are other servers'");
    invariant(!readiness || !readiness->serving || status == 200, "a 503 serves nobody");
    if (readiness) check_ready(*readiness);
    if (const auto diagnosis = read_tunnel_diagnosis(status, body)) check_diagnosis(*diagnosis);
    return 0;
}
