#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "status.hpp"

namespace axl::c {

namespace {

constexpr std::size_t kMaxPemFile = 64UL * 1024;

void to_seed(const PrivateKey& key, std::uint8_t* seed) noexcept {
  std::memcpy(seed, key.secret_bytes().data(), AXL_SEED_SIZE);
}

void wipe(std::string& text) noexcept {
  volatile char* bytes = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = '\0';
}

axl_status fail_errno(const char* path) {
  const std::error_code code{errno, std::generic_category()};
  return fail(Error{code, std::string{path} + ": " + code.message()});
}

axl_status read_pem(const char* pem, std::uint8_t* seed) {
  const auto key = PrivateKey::from_pem(pem);
  if (key) to_seed(*key, seed);
  return done(key);
}

bool write_all(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Never over a file that is there, and complete before it has its name: two programs that start at once get one key.
axl_status make_file(const char* path, std::uint8_t* seed) {
  const auto key = PrivateKey::generate();
  auto temporary = std::string{path} + ".XXXXXX";
  const int file = ::mkstemp(temporary.data());  // readable by this user only
  if (file < 0) return fail_errno(path);
  auto pem = key.to_pem();
  const bool written = write_all(file, pem) && ::fsync(file) == 0;
  axl_status status = written ? AXL_OK : fail_errno(path);
  wipe(pem);
  ::close(file);
  if (written && ::link(temporary.c_str(), path) != 0) {
    status = errno == EEXIST ? AXL_E_ALREADY_EXISTS : fail_errno(path);
  }
  ::unlink(temporary.c_str());
  if (status == AXL_OK) to_seed(key, seed);
  return status;
}

axl_status read_file(const char* path, std::uint8_t* seed) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno == ENOENT ? fail(AXL_E_NOT_FOUND, std::string{path} + ": no such file") : fail_errno(path);
  std::string pem(kMaxPemFile, '\0');
  const auto size = ::read(file, pem.data(), pem.size());
  const int failure = errno;
  ::close(file);
  errno = failure;
  if (size < 0) return fail_errno(path);
  pem[std::min(static_cast<std::size_t>(size), pem.size() - 1)] = '\0';
  const auto status = read_pem(pem.c_str(), seed);
  wipe(pem);
  return status;
}

}  // namespace
}  // namespace axl::c

using namespace axl::c;

extern "C" {

axl_status axl_key_generate(uint8_t* seed) {
  if (seed == nullptr) return missing("no room for a seed");
  return guarded([&] {
    to_seed(axl::PrivateKey::generate(), seed);
    return AXL_OK;
  });
}

axl_status axl_key_from_pem(const char* pem, uint8_t* seed) {
  if (pem == nullptr || seed == nullptr) return missing("no PEM text or no room for a seed");
  return guarded([&] { return read_pem(pem, seed); });
}

axl_status axl_key_to_pem(const uint8_t* seed, char** pem) {
  if (seed == nullptr || pem == nullptr) return missing("no seed or no place for a text");
  *pem = nullptr;
  return guarded([&] {
    auto text = to_private_key(seed).to_pem();
    *pem = new_text(text);
    wipe(text);
    return AXL_OK;
  });
}

axl_status axl_key_load(const char* path, int create, uint8_t* seed) {
  if (path == nullptr || seed == nullptr) return missing("no path or no room for a seed");
  return guarded([&] {
    auto status = read_file(path, seed);
    if (status != AXL_E_NOT_FOUND || create == 0) return status;
    status = make_file(path, seed);
    return status == AXL_E_ALREADY_EXISTS ? read_file(path, seed) : status;
  });
}

axl_status axl_key_public(const uint8_t* seed, axl_key* key) {
  if (seed == nullptr || key == nullptr) return missing("no seed or no room for a key");
  return guarded([&] {
    from_key(to_private_key(seed).public_key(), *key);
    return AXL_OK;
  });
}

axl_status axl_key_from_hex(const char* digits, axl_key* key) {
  if (digits == nullptr || key == nullptr) return missing("no digits or no room for a key");
  return guarded([&] {
    const auto read = axl::PublicKey::from_hex(digits);
    if (read) from_key(*read, *key);
    return done(read);
  });
}

void axl_key_to_hex(const axl_key* key, char* text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const auto byte : key->bytes) {
    *text++ = kDigits[byte >> 4U];
    *text++ = kDigits[byte & 15U];
  }
  *text = '\0';
}

void axl_key_address(const axl_key* key, char* text) {
  const auto address = axl::Address::of(to_key(*key)).to_string();
  std::memcpy(text, address.c_str(), std::min<std::size_t>(address.size() + 1, AXL_ADDRESS_TEXT_SIZE));
}

}  // extern "C"
