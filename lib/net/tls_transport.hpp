// TLS records on a socket.
//
// OpenSSL reads and writes through a BIO of ours: reading goes straight to the socket, many records per call; writing
// collects records, which then leave in large pieces. Records are filled as far as the queue allows.
//
// Opening takes one record at a time: each is a key exchange, a certificate or a signature, and whoever shares the loop
// need not wait for all of them.
//
// Source: overlay links and sessions, section 2.3 (TLS details).
#pragma once

#include <array>
#include <axl/key.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/buffer.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"

namespace axl::net {

class TlsTransport final : public Transport {
 public:
  /// `server_name` is sent by a dialler unless empty; a context that verifies demands it of the certificate. After
  /// `records_per_key` records the sending key is renewed: AES-GCM must not encrypt more than 2^24 full ones under one
  /// key (RFC 8446, section 5.5).
  TlsTransport(TlsContext context, std::string server_name, std::uint64_t records_per_key);
  ~TlsTransport() override;

  Io open(Socket& socket) override;
  Received receive(Socket& socket, MutableByteSpan into) override;
  Io transmit(Socket& socket, BufferQueue& queue) override;
  void mark_end() override;
  [[nodiscard]] bool is_costly() const noexcept override { return true; }
  [[nodiscard]] std::size_t backlog() const noexcept override { return records_.size(); }

  /// Of the other end's certificate, if it is one that a node made for itself. After open().
  [[nodiscard]] const std::optional<PublicKey>& peer_key() const noexcept { return peer_key_; }

 private:
  struct Ssl;
  bool create();
  Io outcome(int returned, const char* doing);
  void keep_buffers(bool keep) noexcept;
  bool encrypt_some(BufferQueue& queue);
  bool write_records(ByteSpan plain);
  Io send_records(Socket& socket);
  int read_from_socket(char* into, int size) noexcept;
  int read_of_record(char* into, std::size_t room) noexcept;
  int read_some(char* into, std::size_t room) noexcept;
  int collect(const char* from, int size) noexcept;

  friend struct TlsBio;

  const TlsContext context_;
  const std::string server_name_;
  const std::uint64_t records_per_key_;
  std::unique_ptr<Ssl> ssl_;
  Socket* socket_ = nullptr;          // while OpenSSL may read
  Buffer records_;                    // encrypted, on the way to the kernel
  std::uint64_t records_of_key_ = 0;  // written under the present key
  std::error_code socket_error_;
  std::optional<PublicKey> peer_key_;
  /// The record that is read while opening.
  struct Opening {
    static constexpr std::size_t kHeader = 5;  // type, version, length
    std::array<unsigned char, kHeader> header{};
    std::size_t read = 0;
    bool complete = false;  // nothing more in this call
    [[nodiscard]] std::size_t end() const noexcept {
      return read < kHeader ? kHeader : kHeader + header[3] * 256U + header[4];
    }
  };
  Opening opening_;
  bool opened_ = false;
  bool failed_ = false;  // no use of OpenSSL any more
  bool socket_ended_ = false;
  bool socket_empty_ = false;  // the last read was short: the next one would find nothing
};

}  // namespace axl::net
