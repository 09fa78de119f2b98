// OpenSSL's Poly1305 takes a quarter of the time of libsodium's on packets of 16 KB (its code knows AVX-512), and both
// are here anyway. A system whose OpenSSL refuses the algorithm, as one that is restricted to FIPS, gets libsodium's.
#include "crypto/one_time_mac.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <memory>

#include "crypto/sodium.hpp"

namespace axl::crypto {

namespace {

struct FreeMac {
  void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using MacHandle = std::unique_ptr<EVP_MAC, FreeMac>;
using ContextHandle = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

ContextHandle new_context() noexcept {
  static const MacHandle mac{EVP_MAC_fetch(nullptr, "POLY1305", nullptr)};
  return ContextHandle{mac != nullptr ? EVP_MAC_CTX_new(mac.get()) : nullptr};
}

bool openssl_mac(unsigned char* mac, ByteSpan data, const unsigned char* key) noexcept {
  // Making one takes longer than a small packet, so each thread keeps its own.
  thread_local const auto context = new_context();
  if (context == nullptr) return false;
  std::size_t size = 0;
  return EVP_MAC_init(context.get(), key, kMacKeySize, nullptr) == 1 &&
         EVP_MAC_update(context.get(), raw(data.data()), data.size()) == 1 &&
         EVP_MAC_final(context.get(), mac, &size, kMacSize) == 1 && size == kMacSize;
}

}  // namespace

void one_time_mac(std::span<std::byte, kMacSize> mac, ByteSpan data,
                  std::span<const std::byte, kMacKeySize> key) noexcept {
  if (openssl_mac(raw(mac.data()), data, raw(key.data()))) return;
  ERR_clear_error();  // the thread's queue is looked at by others
  crypto_onetimeauth(raw(mac.data()), raw(data.data()), data.size(), raw(key.data()));
}

}  // namespace axl::crypto
