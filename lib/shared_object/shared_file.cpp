#include "shared_object/shared_file.hpp"

#include "base/unique_fd.hpp"
#include "clock/clock.hpp"
#include "files/atomic_file.hpp"
#include "files/descriptor_reserve.hpp"
#include "files/file.hpp"
#include "shared_object/condition_proof.hpp"
#include "token/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>

namespace keyturn {

namespace {

using namespace std::chrono_literals;

/// A writer holds the lock only while it writes a few kilobytes to the disk.
constexpr Milliseconds lock_patience{10s};
constexpr Milliseconds lock_pause{2};
constexpr Milliseconds look_pause{100};

ObjectVersion version_of(std::string_view text) {
    return sha256_hex({text}).substr(0, 32);
}

/// A disk that fails before anything is replaced is a store that certainly did not act.
Error not_done(Error error) {
    if (error.fault == Fault::storage) error.fault = Fault::unreachable;
    return error;
}

/// Waits for the lock without stopping the thread. Whoever has it is another process: nothing here
/// waits while it has the lock.
Task<Result<void>> take_turn(Clock& clock, int lock, std::string path) {
    const BootTime end = clock.boot_now() + lock_patience;
    while (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            const Error error = errno_error(errno, "cannot lock " + path);
            co_return not_done(error);
        }
        if (clock.boot_now() >= end) {
            co_return Error{Fault::busy, path + " is locked for too long", 1s};
        }
        co_await clock.sleep_until(clock.boot_now() + lock_pause);
    }
    co_return Result<void>();
}

class SharedFile final : public SharedObject {
  public:
    SharedFile(Clock& clock, const std::filesystem::path& path)
        : clock_(clock), directory_(path.parent_path()), name_(path.filename()) {}

    Task<Result<ObjectReading>> read(ObjectVersion known) override { co_return look(known); }

    Task<Result<ObjectVersion>> swap(ObjectVersion from, std::string text) override {
        const auto fits = check_size_of_object(text);
        if (!fits) co_return fits.error();
        const auto lock = open_lock();
        if (!lock) co_return lock.error();
        const auto turn = co_await take_turn(clock_, lock->get(), directory_ + "/" + lock_name());
        if (!turn) co_return turn.error();
        co_return replace(from, text);
    }

    Task<> wait_for_change(ObjectVersion known, BootTime until) override {
        for (;;) {
            const auto now = look(known);
            const bool changed =
                now && now->found != ObjectReading::Found::unchanged && now->version != known;
            if (changed || clock_.boot_now() >= until) co_return;
            co_await clock_.sleep_until(std::min(until, clock_.boot_now() + look_pause));
        }
    }

    Task<Result<void>> check_conditions(std::string scratch) override {
        const auto valid = check_scratch_name(scratch);
        if (!valid) co_return valid.error();
        const std::string name = fmt::format("{}.selftest-{}", name_, scratch);
        const auto removed = remove(name);
        if (!removed) co_return removed.error();
        SharedFile object(clock_, std::filesystem::path(directory_) / name);
        const auto proven = co_await prove_conditions(object, clock_);
        static_cast<void>(remove(name + ".lock"));
        const auto cleaned = remove(name);
        co_return proven ? cleaned : proven;
    }

  private:
    [[nodiscard]] Result<Directory> open() const {
        const auto valid = check_file_name(name_);
        if (!valid) return with_context(directory_ + "/" + name_, valid.error());
        auto directory = Directory::open(directory_);
        if (!directory) return not_done(directory.error());
        return directory;
    }

    [[nodiscard]] std::string lock_name() const { return name_ + ".lock"; }

    [[nodiscard]] Result<UniqueFd> open_lock() const {
        const auto directory = open();
        if (!directory) return directory.error();
        UniqueFd fd(open_file(directory->fd(), lock_name(),
                              O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, file_mode));
        const int error = errno;
        if (fd.valid()) return fd;
        return not_done(errno_error(error, "cannot open " + directory->path_of(lock_name())));
    }

    [[nodiscard]] Result<ObjectReading> look(const ObjectVersion& known) const {
        const auto directory = open();
        if (!directory) return directory.error();
        return look_in(*directory, known);
    }

    [[nodiscard]] Result<ObjectReading> look_in(const Directory& directory,
                                                const ObjectVersion& known) const {
        const auto bytes = read_file(directory, name_, object_bytes_max - 1);
        if (!bytes) return not_done(bytes.error());
        ObjectReading reading;
        if (!*bytes) return reading;
        reading.version = version_of((*bytes)->reveal());
        reading.found = ObjectReading::Found::present;
        if (reading.version == known) {
            reading.found = ObjectReading::Found::unchanged;
        } else {
            reading.text = (*bytes)->reveal();
        }
        return reading;
    }

    /// While the lock is held. Nothing here waits.
    [[nodiscard]] Result<ObjectVersion> replace(const ObjectVersion& from,
                                                const std::string& text) const {
        const auto directory = open();
        if (!directory) return directory.error();
        const auto now = look_in(*directory, from);
        if (!now) return now.error();
        if (now->version != from) {
            return Error{Fault::conflict, directory->path_of(name_) + " has changed meanwhile"};
        }
        auto file = AtomicFile::create(*directory, name_, text);
        if (!file) return not_done(file.error());
        const auto committed = file->commit(name_);
        if (!committed) return Error{Fault::ambiguous, committed.error().text};
        return version_of(text);
    }

    [[nodiscard]] Result<void> remove(const std::string& name) const {
        const auto valid = check_file_name(name);
        if (!valid) return valid.error();
        const auto directory = Directory::open(directory_);
        if (!directory) return not_done(directory.error());
        const auto removed = remove_file(*directory, name);
        if (!removed) return not_done(removed.error());
        return {};
    }

    Clock& clock_;
    std::string directory_;
    std::string name_;
};

}  // namespace

std::unique_ptr<SharedObject> make_shared_file(Clock& clock, std::string path) {
    return std::make_unique<SharedFile>(clock, std::filesystem::path(std::move(path)));
}

}  // namespace keyturn
