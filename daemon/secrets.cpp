#include "secrets.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include <axl/key_file.hpp>
#include <cstdlib>
#include <string_view>

#include "files/file.hpp"

namespace axl::daemon {

namespace {

Error of_file(std::string_view what, const Error& error) {
  if (!error.is(Errc::permission_denied)) return error;
  return Error{error.code(), fmt::format("{} file {}, or start with --insecure-key-file", what, error.text())};
}

// systemd's LoadCredential= hands secrets over in a folder that only this process's user can enter. Where that user is let
// in by an access list, files there look as if a group might read them.
bool is_credential(const std::string& path) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') return false;
  if (path.substr(0, path.find_last_of('/') + 1) != std::string{folder} + '/') return false;
  const auto shut_to_all = [](const char* name) {
    struct stat status {};
    return ::stat(name, &status) == 0 && (status.st_mode & S_IRWXO) == 0;
  };
  return shut_to_all(folder) && shut_to_all(path.c_str());
}

}  // namespace

Result<PrivateKey> load_key(const std::string& path, bool insecure) {
  auto key = read_key_file(path, insecure || is_credential(path));
  if (!key) return of_file("key", key.error());
  return key;
}

Result<std::string> load_token(const std::string& path, bool insecure) {
  auto bytes = files::read_secret_file(path, insecure || is_credential(path));
  if (!bytes) return of_file("token", bytes.error());
  constexpr std::string_view kSpace = " \t\r\n";
  const auto text = as_text(*bytes);
  const auto begin = text.find_first_not_of(kSpace);
  std::string token;
  if (begin != std::string_view::npos) token = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  sodium_memzero(bytes->data(), bytes->size());
  if (token.empty()) return Error{Errc::malformed, fmt::format("token file {} is empty", path)};
  return token;
}

}  // namespace axl::daemon
