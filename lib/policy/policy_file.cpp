#include "policy/policy_file.hpp"

#include "base/unique_fd.hpp"
#include "policy/check.hpp"
#include "policy/document.hpp"
#include "policy/key_table.hpp"
#include "policy/problem_list.hpp"
#include "policy/reader.hpp"
#include "policy/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace keyturn {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::vector<PolicyProblem> whole_file(const std::string& file, std::string text) {
    return {PolicyProblem{file, 0, 0, std::move(text), {}}};
}

std::string too_large() {
    return fmt::format("larger than {} KiB, which is no policy", policy_bytes_max / 1024);
}

/// A version of the language that is not ours explains everything else that is odd about the file.
const DocumentEntry* other_version(const DocumentNode& document) {
    const DocumentEntry* const entry = document.find("version");
    if (entry == nullptr || entry->value.kind != DocumentNode::Kind::scalar) return nullptr;
    const std::string& text = entry->value.text;
    const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    return number && !entry->value.quoted && text != "1" ? entry : nullptr;
}

Policy finish(PolicyDraft draft, const ProblemList& problems) {
    Policy policy;
    policy.cloudflare = std::move(draft.cloudflare);
    for (TunnelDraft& tunnel : draft.tunnels) policy.tunnels.push_back(std::move(tunnel.policy));
    std::sort(draft.warnings.begin(), draft.warnings.end());
    for (const Remark& warning : draft.warnings)
        policy.warnings.push_back(problems.located(warning));
    return policy;
}

/// Empty when the open file may be trusted, otherwise what to do about it.
std::string distrust(const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return "not a regular file";
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fmt::format(
            "writable by {}, who could have any unit restarted (mode {:04o}); run "
            "`chmod go-w` on it",
            (status.st_mode & S_IWOTH) != 0 ? "everybody" : "its group", status.st_mode & 07777U);
    }
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return fmt::format(
            "owned by user id {}, who is neither root nor the user of this process; run "
            "`chown root` on it",
            status.st_uid);
    }
    if (status.st_size > static_cast<off_t>(policy_bytes_max)) return too_large();
    return {};
}

/// Reads to the end or to one byte more than a policy may have. An errno value on failure.
int read_all(int fd, std::string& text) {
    text.resize(policy_bytes_max + 1);
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(fd, text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.resize(size);
    return 0;
}

}  // namespace

PolicyOutcome parse_policy(std::string_view text, const std::string& file) {
    if (text.size() > policy_bytes_max) return whole_file(file, too_large());
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    ProblemList problems(file, text);
    for (Remark& remark : find_unfit_text(text)) problems.add(remark.place, std::move(remark.text));
    if (!problems.empty()) return problems.take();

    const std::optional<DocumentNode> document = parse_document(text, problems);
    if (!document && !problems.empty()) return problems.take();
    if (!document || document->kind == DocumentNode::Kind::null) {
        return whole_file(file, "the policy is empty; start from the example keyturn.yaml");
    }
    if (const DocumentEntry* entry = other_version(*document)) {
        const Result<PolicyValue> value = read_value(key_table().front(), entry->value);
        problems.add(entry->value.place, fmt::format("`version` {}", value.error().text));
        return problems.take();
    }
    PolicyDraft draft = read_document(*document, problems);
    check_draft(draft, problems);
    if (!problems.empty()) return problems.take();
    return finish(std::move(draft), problems);
}

PolicyOutcome load_policy(const std::string& path) {
    // A symbolic link is followed: what counts is who can write the file that is read, and that is
    // asked of the open file. O_NONBLOCK keeps a FIFO from stopping the daemon.
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (!fd.valid())
        return whole_file(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) {
        return whole_file(path, fmt::format("cannot be examined: {}", std::strerror(errno)));
    }
    if (std::string reason = distrust(status); !reason.empty()) {
        return whole_file(path, std::move(reason));
    }
    std::string text;
    if (const int error = read_all(fd.get(), text); error != 0) {
        return whole_file(path, fmt::format("cannot be read: {}", std::strerror(error)));
    }
    return parse_policy(text, path);
}

}  // namespace keyturn
