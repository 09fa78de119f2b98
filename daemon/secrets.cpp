#include "secrets.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <axl/key_file.hpp>
#include <string_view>

#include "files/file.hpp"

namespace axl::daemon {

namespace {

Error of_file(std::string_view what, const Error& error) {
  if (!error.is(Errc::permission_denied)) return error;
  return Error{error.code(), fmt::format("{} file {}, or start with --insecure-key-file", what, error.text())};
}

}  // namespace

Result<PrivateKey> load_key(const std::string& path, bool insecure) {
  auto key = read_key_file(path, insecure);
  if (!key) return of_file("key", key.error());
  return key;
}

Result<std::string> load_token(const std::string& path, bool insecure) {
  auto bytes = files::read_secret_file(path, insecure);
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
