#include <fmt/format.h>
#include <sodium.h>

#include <axl/key_file.hpp>
#include <optional>

#include "files/file.hpp"

namespace axl {

namespace {

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

Result<PrivateKey> read_key_file(const std::string& path, bool others_may_read) {
  auto bytes = files::read_secret_file(path, others_may_read);
  if (!bytes) return bytes.error();
  auto key = PrivateKey::from_pem(as_text(*bytes));
  const auto error = key ? std::optional<Error>{} : bad_key(path, as_text(*bytes), key.error());
  sodium_memzero(bytes->data(), bytes->size());
  if (error) return *error;
  return key;
}

Result<PrivateKey> make_key_file(const std::string& path) {
  auto key = PrivateKey::generate();
  auto pem = key.to_pem();
  const auto made = files::make_secret_file(path, pem);
  sodium_memzero(pem.data(), pem.size());
  if (!made) return made.error();
  return key;
}

Result<PrivateKey> read_or_make_key_file(const std::string& path) {
  auto key = read_key_file(path);
  if (key || !key.error().is(Errc::not_found)) return key;
  key = make_key_file(path);
  if (key || !key.error().is(Errc::already_exists)) return key;
  return read_key_file(path);  // another program was first
}

}  // namespace axl
