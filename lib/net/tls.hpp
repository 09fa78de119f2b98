// What TLS needs before the first connection: a listener's certificate, and the rules both ends keep.
//
// Links: TLS 1.3 only. The certificate is self-signed with the node's own Ed25519 key. Nothing is verified: a link is
// authenticated by what follows inside it, and terminating proxies in front of public peers are legitimate. No client
// certificate, no ALPN, no session tickets.
//
// Servers that are not nodes (client()): TLS 1.2 too, and the certificate must lead to a trusted one and bear the name.
//
// Source: overlay links and sessions, section 2.3 (TLS details).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

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
  /// For servers that must prove their name. `authorities`: a PEM file of trusted certificates; empty: the system's.
  [[nodiscard]] static Result<TlsContext> client(const std::string& authorities = {});

  [[nodiscard]] bool listens() const noexcept { return role_ == Role::listener; }
  /// The other end's certificate is checked, against the name that was dialled.
  [[nodiscard]] bool verifies() const noexcept { return role_ == Role::client; }
  [[nodiscard]] ssl_ctx_st* get() const noexcept { return context_.get(); }

 private:
  enum class Role : std::uint8_t { listener, dialler, client };
  TlsContext(std::shared_ptr<ssl_ctx_st> context, Role role) : context_{std::move(context)}, role_{role} {}

  std::shared_ptr<ssl_ctx_st> context_;
  Role role_;
};

/// One handshake in memory. The first of a process takes a quarter longer than those after it, for code that comes from
/// the disk and algorithms that are looked up by name: a frame loop should not be the one to pay for that.
void rehearse_handshake(const TlsContext& listener, const TlsContext& dialler) noexcept;

}  // namespace axl::net
