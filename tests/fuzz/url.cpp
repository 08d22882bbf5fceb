// The URL of the API. What is accepted can be written and read again, and needs TLS or stays on
// this host.
#include "base/url.hpp"

#include "fuzz/input.hpp"

using namespace keyturn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = fuzz::with_secrets(fuzz::text_of(data, size));
    const std::string segment = path_segment(text);
    invariant(segment.find_first_of("/?#&\\ \r\n") == std::string::npos, "a segment stays one");
    const Result<HttpUrl> url = parse_url(text);
    if (!url) {
        invariant(url.error().fault == Fault::invalid, "a URL is refused as invalid");
        invariant(!fuzz::tells_secret(url.error().text), "a refusal tells no secret");
        return 0;
    }
    const HttpOrigin& origin = url->origin;
    invariant(origin.tls || is_loopback(origin.host), "no credential leaves this host in the open");
    invariant(fuzz::is_printable_ascii(origin.host + url->base_path), "a URL is plain");
    invariant(!url->base_path.ends_with('/'), "a base path ends in no slash");
    const std::string written =
        (origin.tls ? "https://" : "http://") + authority_of(origin) + url->base_path;
    const Result<HttpUrl> again = parse_url(written);
    invariant(again && *again == *url, "a URL is read as it is written");
    return 0;
}
