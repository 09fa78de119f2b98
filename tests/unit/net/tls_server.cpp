#include "tls_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace axl::test {

namespace {

void require(bool worked) {
  if (!worked) std::abort();
}

EVP_PKEY* new_key() {
  auto* const context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr);
  EVP_PKEY* key = nullptr;
  require(context != nullptr && EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_keygen(context, &key) == 1);
  EVP_PKEY_CTX_free(context);
  return key;
}

void extend(X509* certificate, int kind, const char* value) {
  auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

X509* new_certificate(EVP_PKEY* key, const std::string& subject, const X509_NAME* issuer, long serial) {
  auto* const certificate = X509_new();
  require(certificate != nullptr && X509_set_version(certificate, 2) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  auto* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, issuer != nullptr ? issuer : name);
  return certificate;
}

}  // namespace

TestAuthority::TestAuthority() : key_{new_key()} {
  certificate_ = new_certificate(key_, "axl test authority", nullptr, 1);
  extend(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate_, NID_key_usage, "critical,keyCertSign");
  require(X509_sign(certificate_, key_, nullptr) > 0);
  file_ = (std::filesystem::temp_directory_path() / "axl-authority-XXXXXX").string();
  const auto descriptor = ::mkstemp(file_.data());
  auto* const out = ::fdopen(descriptor, "w");
  require(out != nullptr && PEM_write_X509(out, certificate_) == 1);
  std::fclose(out);
}

TestAuthority::~TestAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
  std::filesystem::remove(file_);
}

TestTlsServer::TestTlsServer(const TestAuthority& authority, const char* names, int version)
    : context_{SSL_CTX_new(TLS_server_method())} {
  auto* const key = new_key();
  auto* const certificate = new_certificate(key, "server", X509_get_subject_name(authority.certificate()), 2);
  extend(certificate, NID_subject_alt_name, names);
  require(X509_sign(certificate, authority.key(), nullptr) > 0);
  require(SSL_CTX_use_certificate(context_, certificate) == 1 && SSL_CTX_use_PrivateKey(context_, key) == 1);
  if (version != 0) SSL_CTX_set_max_proto_version(context_, version);
  X509_free(certificate);
  EVP_PKEY_free(key);

  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listening_, plain, size) == 0 && ::listen(listening_, 8) == 0 &&
          ::getsockname(listening_, plain, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

TestTlsServer::~TestTlsServer() {
  ::shutdown(listening_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  ::close(listening_);
  SSL_CTX_free(context_);
}

void TestTlsServer::serve() {
  while (true) {
    const auto socket = ::accept(listening_, nullptr, nullptr);
    if (socket < 0) return;
    // A client that has nothing to say is not waited for longer than the test needs.
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    auto* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket);
    if (SSL_accept(ssl) == 1) {
      std::array<char, 4096> piece{};
      for (int size = 0; (size = SSL_read(ssl, piece.data(), static_cast<int>(piece.size()))) > 0;) {
        SSL_write(ssl, piece.data(), size);
      }
    }
    SSL_free(ssl);
    ::close(socket);
  }
}

}  // namespace axl::test
