// Owners for what OpenSSL allocates, and the habits its error queue asks for. Included by sources only.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <string>

namespace axl::net {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using KeyHandle = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using CertificateHandle = std::unique_ptr<X509, FreeWith<X509_free>>;
using SslHandle = std::unique_ptr<SSL, FreeWith<SSL_free>>;

/// The error queue belongs to the thread, not to the call: each use of OpenSSL starts and leaves it empty.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() noexcept { clear(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard() { clear(); }

  /// What the first error since the guard was made says; "unknown reason" when OpenSSL does not say.
  [[nodiscard]] static std::string reason() {
    const auto* text = ERR_reason_error_string(ERR_peek_error());
    return text != nullptr ? text : "unknown reason";
  }

 private:
  // Clearing walks all of the queue; a look is enough nearly always.
  static void clear() noexcept {
    if (ERR_peek_error() != 0) ERR_clear_error();
  }
};

[[nodiscard]] inline unsigned char* as_uchar(std::byte* bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes);
}
[[nodiscard]] inline const unsigned char* as_uchar(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace axl::net
