#include "files/descriptor_reserve.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/eventfd.h>

namespace keyturn {
namespace {

struct Reserve {
    std::array<UniqueFd, DescriptorReserve::size> held;
    int uses = 0;

    void fill() {
        for (UniqueFd& fd : held) {
            if (!fd.valid()) fd = UniqueFd(::eventfd(0, EFD_CLOEXEC));
        }
    }

    /// Returns false if there is nothing to give up.
    bool give_up() {
        bool had_any = false;
        for (UniqueFd& fd : held) {
            had_any = had_any || fd.valid();
            fd = UniqueFd();
        }
        return had_any;
    }
};

Reserve& reserve() {
    static Reserve reserve;
    return reserve;
}

}  // namespace

DescriptorReserve::Use::Use() {
    ++reserve().uses;
}

DescriptorReserve::Use::~Use() {
    if (--reserve().uses == 0) reserve().fill();
}

int open_file(int directory, const std::string& name, int flags, mode_t mode) {
    const int fd = ::openat(directory, name.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || !reserve().give_up()) return fd;
    return ::openat(directory, name.c_str(), flags | O_CLOEXEC, mode);
}

}  // namespace keyturn
