#include "net/tls.hpp"

#include <openssl/ssl.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "net/openssl_handles.hpp"
#include "net/tls_keys.hpp"

namespace axl::net {

namespace {

// One record: if more has been read, OpenSSL moves all that is left to the front of its buffer before each.
constexpr std::size_t kReadAhead = 17 * 1024;

bool cpu_has_aes() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long kAes = 1UL << 3;
  return (getauxval(AT_HWCAP) & kAes) != 0;
#else
  return false;
#endif
}

// The fastest first: AES-128-GCM where the processor has AES, ChaCha20 where it would be done by hand.
const char* preferred_ciphers() noexcept {
  return cpu_has_aes() ? "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
                       : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
}

int accept_any_certificate(X509_STORE_CTX* /*store*/, void* /*unused*/) { return 1; }

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method, int lowest_version = TLS1_3_VERSION) {
  std::shared_ptr<SSL_CTX> context{SSL_CTX_new(method), FreeWith<SSL_CTX_free>{}};
  if (!context) return nullptr;
  auto* const target = context.get();
  // The machine's OpenSSL configuration has been applied to it by now; what follows overrides it.
  if (SSL_CTX_set_min_proto_version(target, lowest_version) != 1 ||
      SSL_CTX_set_max_proto_version(target, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(target, preferred_ciphers()) != 1) {
    return nullptr;
  }
  SSL_CTX_set_options(target, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(target, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_session_cache_mode(target, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(target, 1);
  SSL_CTX_set_default_read_buffer_len(target, kReadAhead);
  return context;
}

Error openssl_error(const char* what) { return {Errc::crypto, std::string{what} + ": " + ErrorQueueGuard::reason()}; }

}  // namespace

Result<TlsContext> TlsContext::listener(const PrivateKey& key, std::chrono::system_clock::time_point not_before) {
  const ErrorQueueGuard guard;
  auto context = make_context(TLS_server_method());
  if (!context) return openssl_error("set up TLS for listening");
  const auto signer = make_openssl_key(key);
  const auto certificate = signer ? make_openssl_certificate(key, signer.get(), not_before) : nullptr;
  if (!certificate) return openssl_error("make certificate");
  if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), signer.get()) != 1 || SSL_CTX_set_num_tickets(context.get(), 0) != 1) {
    return openssl_error("use certificate");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return TlsContext{std::move(context), Role::listener};
}

Result<TlsContext> TlsContext::dialler() {
  const ErrorQueueGuard guard;
  auto context = make_context(TLS_client_method());
  if (!context) return openssl_error("set up TLS for dialling");
  // The other end still proves that it holds the certificate's key; whose key that is does not matter here.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), accept_any_certificate, nullptr);
  return TlsContext{std::move(context), Role::dialler};
}

Result<TlsContext> TlsContext::client(const std::string& authorities) {
  const ErrorQueueGuard guard;
  auto context = make_context(TLS_client_method(), TLS1_2_VERSION);
  if (!context) return openssl_error("set up TLS");
  const auto loaded = authorities.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                          : SSL_CTX_load_verify_file(context.get(), authorities.c_str());
  if (loaded != 1) return openssl_error("load trusted certificates");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return TlsContext{std::move(context), Role::client};
}

void rehearse_handshake(const TlsContext& listener, const TlsContext& dialler) noexcept {
  constexpr int kFlights = 3;
  const ErrorQueueGuard guard;
  const SslHandle accepting{SSL_new(listener.get())};
  const SslHandle connecting{SSL_new(dialler.get())};
  BIO* near = nullptr;
  BIO* far = nullptr;
  if (!accepting || !connecting || BIO_new_bio_pair(&near, 0, &far, 0) != 1) return;
  SSL_set_bio(accepting.get(), near, near);
  SSL_set_bio(connecting.get(), far, far);
  for (int flight = 0; flight < kFlights; ++flight) {
    static_cast<void>(SSL_connect(connecting.get()));
    static_cast<void>(SSL_accept(accepting.get()));
  }
}

}  // namespace axl::net
