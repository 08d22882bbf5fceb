#include "state/ballast.hpp"

#include "base/unique_fd.hpp"
#include "files/atomic_file.hpp"
#include "files/descriptor_reserve.hpp"
#include "files/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace keyturn {
namespace {

constexpr const char* ballast_name = "ballast";

/// The free space, in bytes, that must be there before the ballast is made. Something may still be
/// filling the disk, and a ballast made from the last free bytes would do the harm it must prevent.
constexpr unsigned long long room_for_ballast =
    8ULL * static_cast<unsigned long long>(ballast_bytes);

bool is_there(const Directory& directory) {
    struct stat status {};
    return ::fstatat(directory.fd(), ballast_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode) && status.st_size == ballast_bytes;
}

bool fill(const Directory& directory) {
    const UniqueFd fd(open_file(directory.fd(), ballast_name,
                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode));
    return fd.valid() && ::posix_fallocate(fd.get(), 0, ballast_bytes) == 0;
}

}  // namespace

bool make_ballast(const Directory& directory) {
    if (is_there(directory)) return true;
    drop_ballast(directory);  // It has the wrong size.
    if (!directory.check_room(room_for_ballast)) return false;
    const bool filled = fill(directory);
    if (!filled) drop_ballast(directory);
    return filled;
}

bool drop_ballast(const Directory& directory) {
    return ::unlinkat(directory.fd(), ballast_name, 0) == 0;
}

Result<void> replace_with_ballast(const std::string& state_directory, const char* directory_name,
                                  const std::string& file_name, std::string_view bytes,
                                  const std::string& previous_name) {
    const Result<Directory> root = Directory::open(state_directory);
    if (!root) return root.error();
    const Result<Directory> directory = root->open_below(directory_name);
    if (!directory) return directory.error();
    Result<void> written = replace_file(*directory, file_name, bytes, previous_name);
    if (written) {
        make_ballast(*root);
    } else if (written.error().fault == Fault::storage && drop_ballast(*root)) {
        written = replace_file(*directory, file_name, bytes, previous_name);
    }
    return written;
}

}  // namespace keyturn
