#include "policy/policy_file.hpp"

#include "base/trust.hpp"
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
#include <filesystem>
#include <optional>
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
    return fmt::format("larger than {} KiB, the limit for a policy", policy_bytes_max / 1024);
}

/// The `version` of a file if it is not the supported one: that explains every other problem in the
/// file.
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

/// An error of the system about a file.
Error cannot_be(std::string_view what, int errno_value) {
    return {Fault::storage, fmt::format("cannot be {}: {}", what, std::strerror(errno_value))};
}

/// Reads to the end, or one byte more than a policy may have. Returns an errno value or 0.
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

std::string_view without_byte_order_mark(std::string_view text) {
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    return text;
}

/// Parses the text of the file that `problems` began last. Returns nothing if the file is empty or
/// unusable. If its version is not supported, that is the only problem reported.
std::optional<DocumentNode> read_text(std::string_view text, ProblemList& problems) {
    const int file = problems.file();
    bool unfit = false;
    for (Remark& remark : find_unfit_text(text)) {
        remark.place.file = file;
        problems.add(remark.place, std::move(remark.text));
        unfit = true;
    }
    if (unfit) return std::nullopt;
    std::optional<DocumentNode> document = parse_document(text, problems);
    if (!document) return std::nullopt;
    if (const DocumentEntry* entry = other_version(*document)) {
        const Result<PolicyValue> value = read_value(key_table().front(), entry->value);
        problems.add(entry->value.place, fmt::format("`version` {}", value.error().text));
        return std::nullopt;
    }
    if (file > 0 && document->kind != DocumentNode::Kind::map &&
        document->kind != DocumentNode::Kind::null) {
        problems.add(document->place, "a drop-in must consist of keys, like the policy itself");
        return std::nullopt;
    }
    return document;
}

/// "/etc/keyturn/keyturn.d" for "/etc/keyturn/keyturn.yaml".
std::string drop_in_directory(const std::string& path) {
    return std::filesystem::path{path}.replace_extension(".d").string();
}

/// The paths of the drop-ins, in the order of their names. An error's text completes "DIRECTORY:
/// ...".
Result<std::vector<std::string>> find_drop_ins(const std::string& path) {
    const std::string directory = drop_in_directory(path);
    std::vector<std::string> found;
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) {
        if (errno == ENOENT) return found;
        return cannot_be("examined", errno);
    }
    if (!S_ISDIR(status.st_mode)) return Error{Fault::denied, "not a directory"};
    if (std::string reason = distrust_owner(status); !reason.empty()) {
        return Error{Fault::denied, std::move(reason)};
    }
    std::error_code error;
    std::filesystem::directory_iterator entry(directory, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        const bool counts = name.ends_with(".yaml") && !name.starts_with(".");
        if (counts) found.push_back(entry->path().string());
    }
    if (error) return cannot_be("read", error.value());
    if (found.size() > drop_ins_max) {
        return Error{Fault::invalid, fmt::format("has more than {} drop-ins", drop_ins_max)};
    }
    std::ranges::sort(found);
    return found;
}

/// The text of a policy file or drop-in. An error's text completes "FILE: ...".
Result<PolicySource> read_source(const std::string& path) {
    // Symbolic links are allowed. What counts is who can write the file itself, so the checks below
    // look at the open file. O_NONBLOCK keeps a FIFO from blocking the daemon.
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (!fd.valid()) return cannot_be("opened", errno);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return cannot_be("examined", errno);
    if (!S_ISREG(status.st_mode)) return Error{Fault::invalid, "not a regular file"};
    if (std::string reason = distrust_owner(status); !reason.empty()) {
        return Error{Fault::denied, std::move(reason)};
    }
    if (status.st_size > static_cast<off_t>(policy_bytes_max)) {
        return Error{Fault::invalid, too_large()};
    }
    PolicySource source{path, {}};
    if (const int error = read_all(fd.get(), source.text); error != 0) {
        return cannot_be("read", error);
    }
    return source;
}

}  // namespace

PolicyOutcome parse_policy(std::string_view text, const std::string& file) {
    return parse_policy(std::vector<PolicySource>{{file, std::string{text}}});
}

PolicyOutcome parse_policy(const std::vector<PolicySource>& sources) {
    std::vector<std::string_view> texts;
    for (const PolicySource& source : sources) {
        if (source.text.size() > policy_bytes_max) return whole_file(source.file, too_large());
        texts.push_back(without_byte_order_mark(source.text));
    }
    ProblemList problems(sources.front().file, texts.front());
    std::optional<DocumentNode> document = read_text(texts.front(), problems);
    bool readable = document || problems.empty();
    for (std::size_t i = 1; i < sources.size(); ++i) {
        problems.begin_file(sources[i].file, texts[i]);
        const std::size_t problems_before = problems.size();
        std::optional<DocumentNode> over = read_text(texts[i], problems);
        readable = readable && (over || problems.size() == problems_before);
        const bool says_something = over && over->kind != DocumentNode::Kind::null;
        if (document && says_something) merge(*document, *std::move(over));
    }
    // A document with problems is still read, so that the operator sees all problems at once.
    if (!readable) return problems.take();
    if (!document || document->kind == DocumentNode::Kind::null) {
        return whole_file(sources.front().file,
                          "the policy is empty; start from the example keyturn.yaml");
    }
    PolicyDraft draft = read_document(*document, problems);
    check_draft(draft, problems);
    if (!problems.empty()) return problems.take();
    return finish(std::move(draft), problems);
}

PolicyOutcome load_policy(const std::string& path) {
    Result<PolicySource> policy = read_source(path);
    if (!policy) return whole_file(path, policy.error().text);
    Result<std::vector<std::string>> drop_ins = find_drop_ins(path);
    if (!drop_ins) return whole_file(drop_in_directory(path), drop_ins.error().text);
    std::vector<PolicySource> sources{*std::move(policy)};
    for (const std::string& drop_in : *drop_ins) {
        Result<PolicySource> source = read_source(drop_in);
        if (!source) return whole_file(drop_in, source.error().text);
        sources.push_back(*std::move(source));
    }
    return parse_policy(sources);
}

}  // namespace keyturn
