// What keyturnd cannot go below: a program that does nothing, with the libraries that keyturnd
// links and one TLS context that trusts the system's authorities. With an argument it stays.
#include <ares.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <systemd/sd-bus.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

int main(int argc, char**) {
    // One call of each library, or the linker would leave it out.
    sd_bus* bus = nullptr;
    const bool linked = sd_bus_new(&bus) >= 0 && ares_library_init(ARES_LIB_INIT_ALL) == 0 &&
                        !fmt::format("{}", argc).empty() && YAML::Node().IsNull();
    sd_bus_unref(bus);
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    if (!linked || context == nullptr) return 1;
    SSL_CTX_load_verify_dir(context, X509_get_default_cert_dir());
    if (argc > 1) ::pause();
    SSL_CTX_free(context);
    return 0;
}
