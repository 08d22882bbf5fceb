#include "control/call_size.hpp"

#include <cstring>

namespace keyturn {
namespace {

bool is_text(char type) {
    return type == SD_BUS_TYPE_STRING || type == SD_BUS_TYPE_OBJECT_PATH ||
           type == SD_BUS_TYPE_SIGNATURE;
}

/// Returns true if one of the leading strings of the call is too long. Moves the read position.
bool begins_with_long_text(sd_bus_message* message) {
    char type = 0;
    const char* text = nullptr;
    while (sd_bus_message_peek_type(message, &type, nullptr) > 0 && is_text(type)) {
        if (sd_bus_message_read_basic(message, type, &text) <= 0) return false;
        if (::strnlen(text, argument_bytes_max + 1) > argument_bytes_max) return true;
    }
    return false;
}

}  // namespace

int refuse_huge_call(sd_bus_message* message, void* /*nothing*/, sd_bus_error* error) {
    if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) return 0;
    const bool huge = begins_with_long_text(message);
    if (const int status = sd_bus_message_rewind(message, 1); status < 0) return status;
    if (!huge) return 0;
    return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                             "an argument is longer than %zu bytes", argument_bytes_max);
}

}  // namespace keyturn
