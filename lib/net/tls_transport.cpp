#include "net/tls_transport.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "net/endpoint.hpp"
#include "net/openssl_handles.hpp"
#include "net/tls_keys.hpp"

namespace axl::net {

namespace {

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;  // 16 KiB
constexpr std::size_t kRecordOverhead = 64;                // more than header, type byte and tag
constexpr std::size_t kOwnRecord = 12 * 1024;              // a piece this long is worth a record without copying
constexpr std::size_t kBytesPerCall = 128 * 1024;
constexpr std::size_t kBytesPerTurn = 1024 * 1024;
constexpr std::size_t kLargestBacklog = 1024 * 1024;

// What SSL_set_tlsext_host_name() expands to, without its cast.
bool send_server_name(SSL* ssl, std::string name) {
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

// The certificate must bear this name, or this address; wildcards stand for one whole label.
bool demand_name(SSL* ssl, const std::string& name) {
  auto* const rules = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (address_literal(name)) return X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1;
  return !name.empty() && X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size()) == 1;
}

}  // namespace

struct TlsTransport::Ssl {
  SslHandle handle;
};

// What OpenSSL calls for input and output.
struct TlsBio {
  static TlsTransport& owner(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const auto got = owner(bio).read_from_socket(into, size);
    if (got < 0 && !owner(bio).socket_error_) BIO_set_retry_read(bio);
    return got;
  }
  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    return owner(bio).collect(from, size);
  }
  static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_EOF) return owner(bio).socket_ended_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  static const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, FreeWith<BIO_meth_free>> made = [] {
      std::unique_ptr<BIO_METHOD, FreeWith<BIO_meth_free>> fresh{
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "axl socket")};
      if (fresh && (BIO_meth_set_read(fresh.get(), read) != 1 || BIO_meth_set_write(fresh.get(), write) != 1 ||
                    BIO_meth_set_ctrl(fresh.get(), control) != 1)) {
        fresh.reset();
      }
      return fresh;
    }();
    return made.get();
  }
};

TlsTransport::TlsTransport(TlsContext context, std::string server_name, std::uint64_t records_per_key)
    : context_{std::move(context)}, server_name_{std::move(server_name)}, records_per_key_{records_per_key} {}

TlsTransport::~TlsTransport() = default;

bool TlsTransport::create() {
  auto ssl = std::make_unique<Ssl>();
  ssl->handle.reset(SSL_new(context_.get()));
  auto* const bio = TlsBio::method() != nullptr ? BIO_new(TlsBio::method()) : nullptr;
  if (!ssl->handle || bio == nullptr) {
    BIO_free(bio);
    return false;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl->handle.get(), bio, bio);
  if (context_.listens()) {
    SSL_set_accept_state(ssl->handle.get());
  } else {
    SSL_set_connect_state(ssl->handle.get());
    // RFC 6066, section 3: the name that is sent is no address.
    const auto send_name = !server_name_.empty() && !(context_.verifies() && address_literal(server_name_));
    if (send_name && !send_server_name(ssl->handle.get(), server_name_)) return false;
    if (context_.verifies() && !demand_name(ssl->handle.get(), server_name_)) return false;
  }
  ssl_ = std::move(ssl);
  return true;
}

// --- Input and output of OpenSSL -------------------------------------------------------------------------------------

int TlsTransport::read_from_socket(char* into, int size) noexcept {
  if (socket_ == nullptr || socket_ended_) return socket_ended_ ? 0 : -1;
  if (std::exchange(socket_empty_, false)) return -1;
  const auto room = static_cast<std::size_t>(size);
  if (!opened_) return read_of_record(into, room);
  return read_some(into, room);
}

// No more than is left of the record that began last, and nothing of another in the same call.
int TlsTransport::read_of_record(char* into, std::size_t room) noexcept {
  if (opening_.complete) return -1;
  const auto got = read_some(into, std::min(room, opening_.end() - opening_.read));
  socket_empty_ = false;
  if (got <= 0) return got;
  const auto count = static_cast<std::size_t>(got);
  if (opening_.read < Opening::kHeader) std::memcpy(opening_.header.data() + opening_.read, into, count);
  opening_.read += count;
  opening_.complete = opening_.read >= Opening::kHeader && opening_.read == opening_.end();
  return got;
}

int TlsTransport::read_some(char* into, std::size_t room) noexcept {
  std::error_code failure;
  ++counters_.receive_calls;
  const auto got = socket_->read_some(asio::buffer(into, room), failure);
  if (!failure) {
    socket_empty_ = got < room;
    return static_cast<int>(got);
  }
  if (failure == asio::error::eof) {
    socket_ended_ = true;
    return 0;
  }
  if (failure != asio::error::would_block && failure != asio::error::interrupted) socket_error_ = failure;
  return -1;
}

int TlsTransport::collect(const char* from, int size) noexcept {
  const auto count = static_cast<std::size_t>(size);
  if (backlog() + count > kLargestBacklog) return -1;
  records_.append(std::as_bytes(std::span{from, count}));
  return size;
}

Io TlsTransport::outcome(int returned, const char* doing) {
  switch (SSL_get_error(ssl_->handle.get(), returned)) {
    case SSL_ERROR_WANT_READ: return Io::would_block;
    case SSL_ERROR_ZERO_RETURN: return Io::end;
    default: break;
  }
  failed_ = true;
  if (socket_error_) {
    error_ = system_failure(socket_error_, doing);
  } else if (socket_ended_) {
    error_ = Error{Errc::closed, std::string{doing} + ": the other end closed the connection without ending TLS"};
  } else if (const auto verdict = SSL_get_verify_result(ssl_->handle.get());
             context_.verifies() && !opened_ && verdict != X509_V_OK) {
    error_ = Error{Errc::crypto, std::string{doing} + ": certificate: " + X509_verify_cert_error_string(verdict)};
  } else {
    error_ = Error{Errc::crypto, std::string{doing} + ": " + ErrorQueueGuard::reason()};
  }
  return Io::failed;
}

// OpenSSL makes a buffer for each write and frees it behind it, so that a connection which rests holds none. While more
// is about to be written it keeps it.
void TlsTransport::keep_buffers(bool keep) noexcept {
  auto* const ssl = ssl_->handle.get();
  if (keep) {
    SSL_clear_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  } else {
    SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  }
}

// --- Transport -------------------------------------------------------------------------------------------------------

Io TlsTransport::open(Socket& socket) {
  const ErrorQueueGuard guard;
  socket_ = &socket;
  if (!ssl_ && !create()) {
    failed_ = true;
    error_ = Error{Errc::crypto, "set up TLS: " + ErrorQueueGuard::reason()};
  }
  if (failed_) return Io::failed;
  if (opening_.complete) opening_ = {};
  const auto returned = SSL_do_handshake(ssl_->handle.get());
  if (returned == 1) {
    opened_ = true;
    if (const auto* const certificate = SSL_get0_peer_certificate(ssl_->handle.get())) {
      peer_key_ = key_of_direct_node(certificate);
    }
    return Io::progress;
  }
  const auto result = outcome(returned, "TLS handshake");
  if (result == Io::would_block) return result;
  if (result == Io::end) error_ = Error{Errc::closed, "TLS handshake: the other end closed the connection"};
  failed_ = true;
  send_records(socket);  // the alert that says why, if it fits
  return Io::failed;
}

Transport::Received TlsTransport::receive(Socket& socket, MutableByteSpan into) {
  if (failed_) return {Io::failed, 0};
  const ErrorQueueGuard guard;
  socket_ = &socket;
  std::size_t total = 0;
  while (total < into.size()) {
    std::size_t got = 0;
    const auto returned = SSL_read_ex(ssl_->handle.get(), into.data() + total, into.size() - total, &got);
    if (returned == 1) {
      total += got;
      counters_.received_bytes += got;
      // The next large record, which is a packet with its frame, follows in a piece of its own rather than in two.
      const bool full = got >= kOwnRecord && into.size() - total < kRecord;
      // The last read has emptied the socket, and OpenSSL has nothing left: it need not be asked.
      if (socket_empty_ && SSL_has_pending(ssl_->handle.get()) == 0) {
        socket_empty_ = false;
        return {Io::would_block, total};
      }
      if (full) break;
      continue;
    }
    const auto result = outcome(returned, "receive");
    if (result == Io::would_block) return {result, total};
    if (result == Io::failed) send_records(socket);
    if (total > 0) break;  // the end or the failure shows again at the next call
    return {result, 0};
  }
  return {Io::progress, total};
}

Io TlsTransport::transmit(Socket& socket, BufferQueue& queue) {
  socket_ = &socket;
  const auto before = counters_.wire_bytes;
  while (true) {
    if (const auto sent = send_records(socket); sent != Io::end) return sent;
    if (queue.empty() || !opened_) return Io::end;
    if (failed_) return Io::failed;
    if (counters_.wire_bytes - before >= kBytesPerTurn) return Io::progress;
    if (!encrypt_some(queue)) return Io::failed;
  }
}

void TlsTransport::mark_end() {
  if (failed_ || !opened_) return;
  const ErrorQueueGuard guard;
  SSL_shutdown(ssl_->handle.get());
}

Io TlsTransport::send_records(Socket& socket) {
  while (backlog() > 0) {
    std::error_code failure;
    ++counters_.send_calls;
    const auto size = socket.write_some(asio::buffer(std::as_const(records_).data(), backlog()), failure);
    if (failure == asio::error::would_block) return Io::would_block;
    if (failure == asio::error::interrupted) continue;
    if (failure) {
      if (!failed_) error_ = system_failure(failure, "send");
      return Io::failed;
    }
    records_.drop_front(size);
    counters_.wire_bytes += size;
  }
  records_ = Buffer{};  // an idle connection holds no buffer
  return Io::end;
}

bool TlsTransport::encrypt_some(BufferQueue& queue) {
  const ErrorQueueGuard guard;
  const auto plain = std::min(queue.bytes(), kBytesPerCall + kRecord);
  const auto most = plain + (plain / kOwnRecord + 2) * kRecordOverhead;
  if (records_.empty()) records_ = Buffer{0, 0, most};
  while (!queue.empty() && backlog() < kBytesPerCall) {
    const auto& first = queue.front();
    std::size_t taken = 0;
    if (first.size() >= kOwnRecord || queue.pieces() == 1) {
      const auto whole = first.size() / kRecord * kRecord;
      const auto room = std::max(kRecord, (kBytesPerCall - backlog()) / kRecord * kRecord);
      taken = whole > 0 ? std::min(whole, room) : first.size();
      keep_buffers(queue.bytes() > taken);
      if (!write_records(first.span().first(taken))) return false;
    } else {
      std::array<std::byte, kRecord> gathered;
      taken = queue.copy(gathered);
      keep_buffers(queue.bytes() > taken);
      if (!write_records(ByteSpan{gathered}.first(taken))) return false;
    }
    queue.consume(taken);
    counters_.sent_bytes += taken;
  }
  return true;
}

bool TlsTransport::write_records(ByteSpan plain) {
  auto* const ssl = ssl_->handle.get();
  if (records_of_key_ >= records_per_key_ && SSL_version(ssl) >= TLS1_3_VERSION) {
    records_of_key_ = 0;
    SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);  // goes out in front of what is written next
  }
  std::size_t written = 0;
  if (SSL_write_ex(ssl, plain.data(), plain.size(), &written) != 1 || written != plain.size()) {
    failed_ = true;
    error_ = Error{Errc::crypto, "encrypt: " + ErrorQueueGuard::reason()};
    return false;
  }
  records_of_key_ += (plain.size() + kRecord - 1) / kRecord;
  return true;
}

}  // namespace axl::net
