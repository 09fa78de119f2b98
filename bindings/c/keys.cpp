#include <algorithm>
#include <axl/key_file.hpp>
#include <cstring>
#include <string>

#include "status.hpp"

namespace axl::c {

namespace {

void to_seed(const PrivateKey& key, std::uint8_t* seed) noexcept {
  std::memcpy(seed, key.secret_bytes().data(), AXL_SEED_SIZE);
}

void wipe(std::string& text) noexcept {
  volatile char* bytes = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = '\0';
}

axl_status read_pem(const char* pem, std::uint8_t* seed) {
  const auto key = PrivateKey::from_pem(pem);
  if (key) to_seed(*key, seed);
  return done(key);
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
    const auto key = create != 0 ? axl::read_or_make_key_file(path) : axl::read_key_file(path);
    if (key) to_seed(*key, seed);
    return done(key);
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
  if (text == nullptr) return;
  *text = '\0';
  if (key == nullptr) return;
  for (const auto byte : key->bytes) {
    *text++ = kDigits[byte >> 4U];
    *text++ = kDigits[byte & 15U];
  }
  *text = '\0';
}

void axl_key_address(const axl_key* key, char* text) {
  if (text == nullptr) return;
  *text = '\0';
  if (key == nullptr) return;
  const auto address = axl::Address::of(to_key(*key)).to_string();
  std::memcpy(text, address.c_str(), std::min<std::size_t>(address.size() + 1, AXL_ADDRESS_TEXT_SIZE));
}

}  // extern "C"
