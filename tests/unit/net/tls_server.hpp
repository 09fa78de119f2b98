// An authority made for one test, and an echo server on loopback with a certificate of it.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace axl::test {

class TestAuthority {
 public:
  TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;
  ~TestAuthority();

  /// PEM of its certificate.
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] X509* certificate() const noexcept { return certificate_; }
  [[nodiscard]] EVP_PKEY* key() const noexcept { return key_; }

 private:
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  std::string file_;
};

class TestTlsServer {
 public:
  /// `names`: as in a certificate's alternative names, `DNS:localhost`. `version`: the highest it speaks; 0: any.
  TestTlsServer(const TestAuthority& authority, const char* names, int version = 0);
  TestTlsServer(const TestTlsServer&) = delete;
  TestTlsServer& operator=(const TestTlsServer&) = delete;
  ~TestTlsServer();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void serve();

  SSL_CTX* context_ = nullptr;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace axl::test
