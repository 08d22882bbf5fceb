#include "keyturnd/surroundings.hpp"

#include <systemd/sd-id128.h>

#include <array>
#include <cstdlib>

namespace keyturn {

std::string read_host_id() {
    sd_id128_t id{};
    if (sd_id128_get_machine(&id) < 0) return {};
    std::array<char, SD_ID128_STRING_MAX> text{};
    return sd_id128_to_string(id, text.data());
}

std::string credentials_directory() {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    return directory == nullptr ? "" : directory;
}

}  // namespace keyturn
