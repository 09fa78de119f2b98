#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace axl::daemon {

namespace {

constexpr std::size_t kMaxKeyFileSize = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_{number} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

// The system's words, in the lower case of the reference's messages.
Error failed(std::string_view what, const std::string& path) {
  const auto code = errno;
  std::string words = std::strerror(code);
  if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z') words[0] = static_cast<char>(words[0] + 32);
  return Error{code == EEXIST   ? Errc::already_exists
               : code == ENOENT ? Errc::not_found
                                : Errc::io,
               fmt::format("{} {}: {}", what, path, words)};
}

Result<Bytes> read_all(const Descriptor& file, const std::string& path, std::size_t max_size) {
  Bytes bytes;
  std::size_t size = 0;
  while (true) {
    if (size == bytes.size()) bytes.resize(size + 16 * 1024);
    const auto count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read", path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (size > max_size) return Error{Errc::too_large, fmt::format("read {}: larger than {} bytes", path, max_size)};
  }
  bytes.resize(size);
  return bytes;
}

bool write_all(const Descriptor& file, ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

// A file that others may read is refused.
Result<Bytes> read_secret(std::string_view what, const std::string& path, bool insecure) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed("open", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed("stat", path);
  if (!insecure && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{Errc::permission_denied,
                 fmt::format("{} file {} may be read by others (mode {:04o}): run chmod 600 {}, or start with "
                             "--insecure-key-file",
                             what, path, static_cast<unsigned>(status.st_mode & 07777U), path)};
  }
  return read_all(file, path, kMaxKeyFileSize);
}

// The reference's words for what is wrong with a key file, where it has some.
Error bad_key(const std::string& path, std::string_view pem, const Error& error) {
  const auto begin = pem.find("-----BEGIN ");
  if (begin == std::string_view::npos) return Error{error.code(), "failed to parse PEM file " + path};
  const auto type = pem.substr(begin + 11, pem.find("-----", begin + 11) - begin - 11);
  if (type != "PRIVATE KEY")
    return Error{error.code(), fmt::format("unexpected PEM type \"{}\" in {}", type.substr(0, 64), path)};
  if (error.text().find("not an Ed25519 key") != std::string::npos) {
    return Error{error.code(), "private key must be ed25519 key: " + path};
  }
  return Error{error.code(), fmt::format("failed to parse PEM file {}: {}", path, error.text())};
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t max_size) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed("open", path);
  return read_all(file, path, max_size);
}

Result<PrivateKey> load_key(const std::string& path, bool insecure) {
  auto bytes = read_secret("key", path, insecure);
  if (!bytes) return bytes.error();
  auto key = PrivateKey::from_pem(as_text(*bytes));
  const auto error = key ? std::optional<Error>{} : bad_key(path, as_text(*bytes), key.error());
  sodium_memzero(bytes->data(), bytes->size());
  if (error) return *error;
  return key;
}

Result<std::string> load_token(const std::string& path, bool insecure) {
  auto bytes = read_secret("token", path, insecure);
  if (!bytes) return bytes.error();
  constexpr std::string_view kSpace = " \t\r\n";
  const auto text = as_text(*bytes);
  const auto begin = text.find_first_not_of(kSpace);
  std::string token;
  if (begin != std::string_view::npos) token = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  sodium_memzero(bytes->data(), bytes->size());
  if (token.empty()) return Error{Errc::malformed, fmt::format("token file {} is empty", path)};
  return token;
}

Result<PublicKey> generate_key(const std::string& path) {
  const auto key = PrivateKey::generate();
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.get() < 0) return failed("create", path);
  auto pem = key.to_pem();
  const bool written = write_all(file, as_bytes(pem)) && ::fsync(file.get()) == 0 && file.close();
  sodium_memzero(pem.data(), pem.size());
  if (!written) {
    auto error = failed("write", path);
    ::unlink(path.c_str());
    return error;
  }
  return key.public_key();
}

}  // namespace axl::daemon
