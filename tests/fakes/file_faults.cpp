#include "fakes/file_faults.hpp"

#include <cerrno>
#include <cstdarg>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

extern "C" {
int __real_openat(int directory, const char* path, int flags, ...);
ssize_t __real_read(int fd, void* buffer, size_t size);
ssize_t __real_write(int fd, const void* buffer, size_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_renameat(int from_directory, const char* from, int to_directory, const char* to);
int __real_unlinkat(int directory, const char* path, int flags);
int __real_fchmod(int fd, mode_t mode);
int __real_fchown(int fd, uid_t user, gid_t group);
int __real_mkdirat(int directory, const char* path, mode_t mode);
int __real_statx(int directory, const char* path, int flags, unsigned mask, struct statx* status);
int __real_fstat(int fd, struct stat* status);
int __real_fstatat(int directory, const char* path, struct stat* status, int flags);
int __real_fstatvfs(int fd, struct statvfs* status);
int __real_posix_fallocate(int fd, off_t offset, off_t size);
}

namespace keyturn::testing_files {
namespace {

FaultPlan plan;
bool armed = false;
int count = 0;
std::vector<std::string> words;
Watcher watcher;

bool is_directory(int fd) {
    struct stat status {};
    return __real_fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

bool disk_is_full() {
    return armed && !plan.full_while.empty() && ::access(plan.full_while.c_str(), F_OK) == 0;
}

/// Counts an operation; true when it has to fail, with errno set.
bool fails(const char* word) {
    if (!armed) return false;
    if (watcher.before_operation) {
        armed = false;  // What the watcher does is not watched.
        watcher.before_operation();
        armed = true;
    }
    ++count;
    words.emplace_back(word);
    const bool hit = plan.at != 0 && (count == plan.at || (plan.for_ever && count > plan.at));
    if (!hit || plan.short_write) return false;
    if (plan.crash) ::_exit(crash_status);
    errno = plan.error;
    return true;
}

bool fails_when_full(const char* word) {
    if (fails(word)) return true;
    if (!disk_is_full()) return false;
    errno = ENOSPC;
    return true;
}

int sync(int fd, int (*real)(int)) {
    if (fails(is_directory(fd) ? "sync directory" : "sync file")) return -1;
    const int result = real(fd);
    if (armed && result == 0 && watcher.after_a_sync) watcher.after_a_sync(fd);
    return result;
}

}  // namespace

void arm(FaultPlan new_plan) {
    plan = std::move(new_plan);
    words.clear();
    count = 0;
    armed = true;
}

void watch(Watcher new_watcher) {
    watcher = std::move(new_watcher);
}

int disarm() {
    armed = false;
    watcher = {};
    return count;
}

std::vector<std::string> trace() {
    return words;
}

}  // namespace keyturn::testing_files

namespace faults = keyturn::testing_files;

extern "C" {

int __wrap_openat(int directory, const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
        if (faults::fails_when_full("create")) return -1;
    } else if (faults::fails("open")) {
        return -1;
    }
    return __real_openat(directory, path, flags, mode);
}

ssize_t __wrap_read(int fd, void* buffer, size_t size) {
    return faults::fails("read") ? -1 : __real_read(fd, buffer, size);
}

ssize_t __wrap_write(int fd, const void* buffer, size_t size) {
    if (faults::fails_when_full("write")) return -1;
    const bool half = faults::armed && faults::plan.short_write &&
                      (faults::count == faults::plan.at || faults::plan.for_ever);
    return __real_write(fd, buffer, half && size > 1 ? size / 2 : size);
}

int __wrap_fsync(int fd) {
    return faults::sync(fd, &__real_fsync);
}
int __wrap_fdatasync(int fd) {
    return faults::sync(fd, &__real_fdatasync);
}

int __wrap_renameat(int from_directory, const char* from, int to_directory, const char* to) {
    return faults::fails("rename") ? -1 : __real_renameat(from_directory, from, to_directory, to);
}
int __wrap_unlinkat(int directory, const char* path, int flags) {
    return faults::fails("unlink") ? -1 : __real_unlinkat(directory, path, flags);
}
int __wrap_fchmod(int fd, mode_t mode) {
    return faults::fails("mode") ? -1 : __real_fchmod(fd, mode);
}
int __wrap_fchown(int fd, uid_t user, gid_t group) {
    return faults::fails("owner") ? -1 : __real_fchown(fd, user, group);
}
int __wrap_mkdirat(int directory, const char* path, mode_t mode) {
    return faults::fails("mkdir") ? -1 : __real_mkdirat(directory, path, mode);
}
int __wrap_statx(int directory, const char* path, int flags, unsigned mask, struct statx* status) {
    return faults::fails("examine") ? -1 : __real_statx(directory, path, flags, mask, status);
}
int __wrap_fstat(int fd, struct stat* status) {
    return faults::fails("examine") ? -1 : __real_fstat(fd, status);
}
int __wrap_fstatat(int directory, const char* path, struct stat* status, int flags) {
    return faults::fails("look") ? -1 : __real_fstatat(directory, path, status, flags);
}
int __wrap_fstatvfs(int fd, struct statvfs* status) {
    return faults::fails("room") ? -1 : __real_fstatvfs(fd, status);
}
int __wrap_posix_fallocate(int fd, off_t offset, off_t size) {
    // This one returns its error instead of setting errno.
    return faults::fails("allocate") ? errno : __real_posix_fallocate(fd, offset, size);
}

}  // extern "C"
