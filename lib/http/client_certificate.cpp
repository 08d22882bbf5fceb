#include "http/client_certificate.hpp"

#include "base/secret.hpp"
#include "base/trust.hpp"
#include "base/unique_fd.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {

namespace {

/// An RSA key of 16,384 bits has 13 KB.
constexpr std::size_t key_size_max = 16 * 1024;

struct Free {
    void operator()(BIO* memory) const { BIO_free(memory); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

Error invalid(std::string text) {
    ERR_clear_error();
    return {Fault::invalid, std::move(text)};
}

/// Who may read and who may change it, of the open file and of the way to it.
Result<void> check_private(const std::string& path, int file) {
    struct stat status {};
    if (::fstat(file, &status) != 0) return errno_error(errno, "key_file " + path);
    if (!S_ISREG(status.st_mode)) return invalid("key_file " + path + " is not a regular file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error{Fault::denied,
                     fmt::format("key_file {0} is readable by other users (mode {1:04o}); run: "
                                 "chmod 600 {0}",
                                 path, status.st_mode & 07777U)};
    }
    const std::string reason = distrust_owner(status);
    if (!reason.empty())
        return Error{Fault::denied, fmt::format("key_file {} is {}", path, reason)};
    return check_way_to(path);
}

Result<Secret> read_key_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) {
        Error error = errno_error(errno, "cannot open key_file " + path);
        if (error.fault == Fault::missing) error.fault = Fault::invalid;
        return error;
    }
    const Result<void> is_private = check_private(path, file.get());
    if (!is_private) return is_private.error();
    Secret text(key_size_max);
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, "cannot read key_file " + path);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.truncate(size);
    return text;
}

/// A program without a terminal can ask nobody for a pass phrase.
int no_pass_phrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

}  // namespace

Result<void> show_certificate(SSL_CTX* context, const TlsFiles& files) {
    if (files.cert_file.empty() || files.key_file.empty()) {
        return invalid("cert_file and key_file need each other; set both or none");
    }
    if (SSL_CTX_use_certificate_chain_file(context, files.cert_file.c_str()) != 1) {
        return invalid(fmt::format("cannot read cert_file {}; it has to be a certificate in PEM",
                                   files.cert_file));
    }
    const Result<Secret> text = read_key_file(files.key_file);
    if (!text) return text.error();
    const std::unique_ptr<BIO, Free> memory(
        BIO_new_mem_buf(text->reveal().data(), static_cast<int>(text->size())));
    bool asked = false;
    const std::unique_ptr<EVP_PKEY, Free> key(
        PEM_read_bio_PrivateKey(memory.get(), nullptr, no_pass_phrase, &asked));
    if (asked) {
        return invalid(
            fmt::format("key_file {} has a pass phrase; write it without one, for "
                        "example with `openssl pkey -in OLD -out NEW`",
                        files.key_file));
    }
    if (!key) {
        return invalid(fmt::format("key_file {} is not a private key in PEM", files.key_file));
    }
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        return invalid(fmt::format("key_file {} does not belong to cert_file {}", files.key_file,
                                   files.cert_file));
    }
    return {};
}

}  // namespace keyturn
