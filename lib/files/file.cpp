#include "files/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace axl::files {

namespace {

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

bool write_all(Descriptor& file, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file.get()) == 0 && file.close();
}

// Where a file system knows no second name for a file, its own name comes first.
Result<void> make_in_place(const std::string& path, std::string_view text) {
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.get() < 0) return failed("create", path);
  if (write_all(file, text)) return {};
  auto error = failed("write", path);
  ::unlink(path.c_str());
  return error;
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t max_size) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed("open", path);
  return read_all(file, path, max_size);
}

Result<Bytes> read_secret_file(const std::string& path, bool others_may_read) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed("open", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed("stat", path);
  if (!others_may_read && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{Errc::permission_denied, fmt::format("{} may be read by others (mode {:04o}): run chmod 600 {}", path,
                                                      static_cast<unsigned>(status.st_mode & 07777U), path)};
  }
  return read_all(file, path, kMaxSecretSize);
}

Result<void> make_secret_file(const std::string& path, std::string_view text) {
  auto temporary = path + ".XXXXXX";
  Descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};  // mode 0600
  if (file.get() < 0) return failed("create", path);
  Result<void> made;
  if (!write_all(file, text)) {
    made = failed("write", path);
  } else if (::link(temporary.c_str(), path.c_str()) != 0) {
    made = errno == EPERM || errno == EOPNOTSUPP ? make_in_place(path, text) : failed("create", path);
  }
  ::unlink(temporary.c_str());
  return made;
}

}  // namespace axl::files
