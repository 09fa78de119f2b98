// What TLS needs before the first connection: a listener's certificate, and the rules both ends keep.
//
// TLS 1.3 only. The certificate is self-signed with the node's own Ed25519 key. Nothing is verified: a link is
// authenticated by what follows inside it, and terminating proxies in front of public peers are legitimate. No client
// certificate, no ALPN, no session tickets.
//
// Source: overlay links and sessions, section 2.3 (TLS details).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <chrono>
#include <memory>

struct ssl_ctx_st;

namespace axl::net {

/// DER of the certificate that a listener shows: fields as the network's, valid from `not_before` without end.
[[nodiscard]] Result<Bytes> make_certificate(const PrivateKey& key, std::chrono::system_clock::time_point not_before);

/// One side's settings; copies share them. May be used by several loops at once.
class TlsContext {
 public:
  [[nodiscard]] static Result<TlsContext> listener(const PrivateKey& key,
                                                   std::chrono::system_clock::time_point not_before);
  [[nodiscard]] static Result<TlsContext> dialler();

  [[nodiscard]] bool listens() const noexcept { return listens_; }
  [[nodiscard]] ssl_ctx_st* get() const noexcept { return context_.get(); }

 private:
  TlsContext(std::shared_ptr<ssl_ctx_st> context, bool listens) : context_{std::move(context)}, listens_{listens} {}

  std::shared_ptr<ssl_ctx_st> context_;
  bool listens_;
};

}  // namespace axl::net
