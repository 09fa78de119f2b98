// What a second thread for TLS gains where one flow fills the first (NodeConfig::bulk_thread).
//
//   bulk_thread send|receive MEGABYTES ROUNDS [always|auto]
//
// send: packets of 16 KiB are sealed as sessions seal them and go through a link's TLS stream to a peer that throws
// away what comes, without a look at it. receive: records that were made beforehand come from a peer as fast as the
// stream takes them, and the packets in them are opened. Each round runs without the second thread and with it, in
// turn; prints a line of JSON for each, and the medians of rates and ratios. Seconds of processor time are for each GB:
// of our threads, and of the peer's, whose work in the kernel belongs to loopback.
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/box.hpp"
#include "net/advances.hpp"
#include "net/tls_stream.hpp"
#include "net/tls_worker.hpp"

namespace {

using namespace axl;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPacket = 16 * 1024;
constexpr std::size_t kFrame = kPacket + crypto::kBoxTagSize;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double used(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

SSL_CTX* listener_context() {
  auto* const context = SSL_CTX_new(TLS_server_method());
  auto* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  auto* const certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (X509_sign(certificate, key, nullptr) == 0 || SSL_CTX_use_certificate(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) {
    fail("certificate");
  }
  return context;
}

// The other end, on a thread of its own, with as little to do as can be.
class Peer {
 public:
  explicit Peer(int socket) : socket_{socket}, ssl_{SSL_new(context())} { SSL_set_fd(ssl_, socket); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    SSL_free(ssl_);
    ::close(socket_);
  }

  void open() {
    if (SSL_accept(ssl_) != 1) fail("handshake");
  }
  // The kernel drops the bytes without copying them.
  void discard() {
    while (::recv(socket_, nullptr, std::size_t{1} << 30U, MSG_TRUNC) > 0) {
    }
  }
  void end() { ::shutdown(socket_, SHUT_RDWR); }
  void prepare(const std::vector<std::byte>& frames, std::size_t bytes) {
    SSL_set0_wbio(ssl_, BIO_new(BIO_s_mem()));
    for (std::size_t done = 0; done < bytes; done += frames.size()) {
      std::size_t written = 0;
      if (SSL_write_ex(ssl_, frames.data(), frames.size(), &written) != 1) fail("encrypt");
    }
  }
  void send() {
    char* from = nullptr;
    auto left = BIO_get_mem_data(SSL_get_wbio(ssl_), &from);
    while (left > 0) {
      const auto size = ::send(socket_, from, static_cast<std::size_t>(std::min(left, 256L * 1024)), MSG_NOSIGNAL);
      if (size <= 0) fail("send");
      from += size;
      left -= size;
    }
  }

 private:
  static SSL_CTX* context() {
    static auto* const made = listener_context();
    return made;
  }
  int socket_;
  SSL* ssl_;
};

std::vector<std::byte> sealed_packet(const crypto::Secret& key) {
  std::vector<std::byte> frame(kFrame, std::byte{7});
  crypto::seal_in_place(MutableByteSpan{frame}.subspan(crypto::kBoxTagSize),
                        MutableByteSpan{frame}.first<crypto::kBoxTagSize>(), 1, key);
  return frame;
}

// What a node does besides TLS: seals while the stream has room, opens what comes.
class Flow final : public StreamHandler, public net::Advances::Visitor, public std::enable_shared_from_this<Flow> {
 public:
  Flow(asio::io_context& loop, net::Socket socket, net::BulkElsewhere where, std::size_t to_send,
       std::size_t to_receive)
      : advances_{asio::use_service<net::Advances>(loop)}, to_send_{to_send}, to_receive_{to_receive} {
    net::TlsStream::Setup setup;
    setup.stream = net::StreamOptions::for_links();
    setup.stream.bulk_elsewhere = where;
    setup.on_open = [this] { opened_ = true; };
    stream_ = std::make_unique<net::TlsStream>(std::move(socket), net::TlsContext::dialler().value(), std::move(setup));
    stream_->set_handler(this);
  }

  void begin() { advances_.add(shared_from_this()); }
  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] bool done() const { return to_send_ == 0 ? received_ >= to_receive_ : sent_ >= to_send_ && drained_; }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  void visit() override {
    while (sent_ < to_send_ && stream_->unsent() < stream_->high_mark()) {
      Buffer frame{kFrame, Buffer::kHeadroom};
      std::memset(frame.data() + crypto::kBoxTagSize, 7, kPacket);
      crypto::seal_in_place(frame.mutable_span().subspan(crypto::kBoxTagSize),
                            frame.mutable_span().first<crypto::kBoxTagSize>(), ++nonce_, key_);
      sent_ += frame.size();
      drained_ = false;
      stream_->write(std::move(frame));
    }
  }
  void on_writable() override { advances_.add(shared_from_this()); }
  void on_drained() override {
    drained_ = true;
    advances_.add(shared_from_this());
  }
  void on_data(Buffer data) override {
    received_ += data.size();
    for (auto rest = data.span(); !rest.empty();) {
      const auto part = std::min(rest.size(), kFrame - filled_);
      std::memcpy(frame_.data() + filled_, rest.data(), part);
      filled_ += part;
      rest = rest.subspan(part);
      if (filled_ < kFrame) continue;
      filled_ = 0;
      if (!crypto::open_in_place(MutableByteSpan{frame_}.subspan(crypto::kBoxTagSize),
                                 MutableByteSpan{frame_}.first<crypto::kBoxTagSize>(), 1, key_)) {
        ++wrong_;
      }
    }
  }
  void on_end() override {}
  void on_closed(const Error* error) override {
    if (error != nullptr) std::fprintf(stderr, "%s\n", error->text().c_str());
    std::exit(1);
  }

  net::Advances& advances_;
  const std::size_t to_send_;
  const std::size_t to_receive_;
  std::unique_ptr<net::TlsStream> stream_;
  const crypto::Secret key_{};
  std::vector<std::byte> frame_ = std::vector<std::byte>(kFrame);
  std::size_t filled_ = 0;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  std::uint64_t nonce_ = 0;
  std::uint64_t wrong_ = 0;
  bool opened_ = false;
  bool drained_ = true;
};

struct Figures {
  double rate = 0;  // MB/s
  double ours = 0;  // seconds of processor time for a GB
  double loop = 0;  // of that, the loop's
  double peers = 0;
  std::uint64_t batches = 0;
};

Figures run(bool sends, net::BulkElsewhere where, std::size_t bytes) {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  net::Acceptor acceptor{loop.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  net::Socket ours{loop.get_executor()};
  net::Socket theirs{loop.get_executor()};
  ours.connect(acceptor.local_endpoint());
  acceptor.accept(theirs);
  const auto flow = std::make_shared<Flow>(loop, std::move(ours), where, sends ? bytes : 0, sends ? 0 : bytes);
  Peer peer{theirs.release()};
  std::thread opening{[&peer] { peer.open(); }};
  while (!flow->opened()) loop.run_one();
  opening.join();
  loop.poll();
  if (!sends) peer.prepare(sealed_packet(crypto::Secret{}), bytes);

  double peers = 0;
  const auto begun = Clock::now();
  const auto all_before = used(RUSAGE_SELF);
  const auto loop_before = used(RUSAGE_THREAD);
  std::thread other{[&] {
    sends ? peer.discard() : peer.send();
    peers = used(RUSAGE_THREAD);
  }};
  if (sends) flow->begin();
  while (!flow->done()) {
    loop.restart();
    loop.run_one();
  }
  const auto taken = std::chrono::duration<double>{Clock::now() - begun}.count();
  const auto loops = used(RUSAGE_THREAD) - loop_before;
  const auto batches = asio::use_service<net::TlsWorker>(loop).batches();
  peer.end();
  other.join();
  const auto all = used(RUSAGE_SELF) - all_before;
  if (flow->wrong() != 0) fail("a packet was damaged");
  const auto gigabytes = static_cast<double>(bytes) / 1e9;
  return {static_cast<double>(bytes) / taken / 1e6, (all - peers) / gigabytes, loops / gigabytes, peers / gigabytes,
          batches};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::fprintf(stderr, "usage: bulk_thread send|receive MEGABYTES ROUNDS [always|auto]\n");
    return 2;
  }
  const auto sends = std::string_view{words[1]} == "send";
  const auto bytes = std::strtoull(words[2], nullptr, 10) * 1'000'000;
  const auto other = count > 4 && std::string_view{words[4]} == "auto" ? net::BulkElsewhere::with_spare_core
                                                                       : net::BulkElsewhere::always;
  std::vector<double> rates[2];
  std::vector<double> ratios;
  for (auto rounds = std::strtol(words[3], nullptr, 10); rounds > 0; --rounds) {
    for (const auto with : {0, 1}) {
      const auto got = run(sends, with != 0 ? other : net::BulkElsewhere::never, bytes);
      rates[with].push_back(got.rate);
      std::printf(
          R"({"load": "%s", "second_thread": %s, "mb_per_s": %.0f, "cpu_s_per_gb": %.3f, "loop_s_per_gb": %.3f, )"
          R"("peer_s_per_gb": %.3f, "batches": %llu})"
          "\n",
          words[1], with != 0 ? "true" : "false", got.rate, got.ours, got.loop, got.peers,
          static_cast<unsigned long long>(got.batches));
      std::fflush(stdout);
    }
    ratios.push_back(rates[1].back() / rates[0].back());
  }
  std::ranges::sort(ratios);
  std::printf(R"({"load": "%s", "without": %.0f, "with": %.0f, "ratio": %.2f, "least": %.2f, "most": %.2f})"
              "\n",
              words[1], median(rates[0]), median(rates[1]), median(ratios), ratios.front(), ratios.back());
}
