#include "net/tls.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "net/bulk_job.hpp"
#include "net/steady_clock.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls_stream.hpp"
#include "net/tls_transport.hpp"
#include "net_support.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

std::unique_ptr<net::TlsStream> listening_end(net::Socket socket, std::optional<Time> deadline = {}) {
  net::TlsStream::Setup setup;
  setup.handshake_deadline = deadline;
  return std::make_unique<net::TlsStream>(std::move(socket), test_listener_context(), std::move(setup));
}

// OpenSSL as it comes, for what our own dialler would never do.
class OtherEnd {
 public:
  OtherEnd(net::Socket socket, bool listens, int highest_version)
      : socket_{std::move(socket)}, context_{SSL_CTX_new(listens ? TLS_server_method() : TLS_client_method())} {
    socket_.native_non_blocking(true);
    SSL_CTX_set_max_proto_version(context_, highest_version);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.native_handle());
    if (listens) {
      SSL_set_accept_state(ssl_);
    } else {
      SSL_set_connect_state(ssl_);
    }
  }
  OtherEnd(const OtherEnd&) = delete;
  OtherEnd& operator=(const OtherEnd&) = delete;
  ~OtherEnd() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  // True when the handshake is over, one way or the other.
  bool step() {
    const auto result = SSL_do_handshake(ssl_);
    const auto reason = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
    succeeded = result == 1;
    return reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE;
  }
  SSL* ssl() { return ssl_; }

  bool succeeded = false;

 private:
  net::Socket socket_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
};

void await_bytes(net::Socket& socket) {
  while (socket.available() == 0) std::this_thread::yield();
}

}  // namespace

TEST_CASE("tls: only version 1.3 gets in", "[net]") {
  const auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  asio::io_context loop;
  auto [theirs, ours] = connected_sockets(loop, loop);
  auto stream = listening_end(std::move(ours));
  Recorder record;
  stream->set_handler(&record);
  OtherEnd client{std::move(theirs), false, version};
  REQUIRE(run_until(loop, [&] {
    loop.poll();
    loop.restart();
    return client.step() && (record.closed != 0 || stream->opened());
  }));
  CHECK(client.succeeded == (version == TLS1_3_VERSION));
  CHECK(stream->opened() == (version == TLS1_3_VERSION));
  if (version == TLS1_2_VERSION) {
    REQUIRE(record.failure);
    CHECK(record.failure->is(Errc::crypto));
    return;
  }
  CHECK(SSL_version(client.ssl()) == TLS1_3_VERSION);
  const unsigned char* protocol = nullptr;
  unsigned length = 1;
  SSL_get0_alpn_selected(client.ssl(), &protocol, &length);
  CHECK(length == 0);
  int signature = 0;
  CHECK(SSL_get_peer_signature_type_nid(client.ssl(), &signature) == 1);
  CHECK(signature == NID_ED25519);
  CHECK(SSL_session_reused(client.ssl()) == 0);
}

TEST_CASE("tls: opening takes one record of the other end at a time, and leaves what comes behind the last", "[net]") {
  asio::io_context loop;
  auto [dialling, listening] = connected_sockets(loop, loop);
  dialling.non_blocking(true);
  listening.non_blocking(true);
  net::TlsTransport client{test_dialler_context(), "", 100};
  net::TlsTransport server{test_listener_context(), "", 100};
  net::BufferQueue nothing;
  REQUIRE(client.open(dialling) == net::Io::would_block);
  REQUIRE(client.transmit(dialling, nothing) == net::Io::end);
  await_bytes(listening);
  REQUIRE(server.open(listening) == net::Io::would_block);
  REQUIRE(server.transmit(listening, nothing) == net::Io::end);
  // Hello, its marker for old middle boxes, extensions, certificate, signature, and the end: all of it is there.
  await_bytes(dialling);
  for (auto record = 1; record < 6; ++record) REQUIRE(client.open(dialling) == net::Io::would_block);
  REQUIRE(client.open(dialling) == net::Io::progress);

  net::BufferQueue queue;
  queue.push(Buffer::copy_of(as_bytes("at once")));
  REQUIRE(client.transmit(dialling, queue) == net::Io::end);
  auto status = net::Io::would_block;
  await_bytes(listening);
  for (auto record = 0; record < 2 && status == net::Io::would_block; ++record) status = server.open(listening);
  REQUIRE(status == net::Io::progress);
  Bytes room(100);
  await_bytes(listening);
  const auto got = server.receive(listening, room);
  CHECK(as_text(ByteSpan{room}.first(got.size)) == "at once");
}

TEST_CASE("tls: records that come byte by byte, and empty ones, are no obstacle to opening", "[net]") {
  const auto empty = GENERATE(false, true);
  asio::io_context loop;
  auto [theirs, ours] = connected_sockets(loop, loop);
  auto [sending, between] = connected_sockets(loop, loop);
  auto stream = listening_end(std::move(ours));
  Recorder record;
  stream->set_handler(&record);
  OtherEnd client{std::move(between), false, TLS1_3_VERSION};
  client.step();
  Bytes hello(2'000);
  hello.resize(sending.read_some(asio::buffer(hello)));
  if (empty) {
    constexpr char kEmptyHandshake[] = {22, 3, 1, 0, 0};
    theirs.write_some(asio::buffer(kEmptyHandshake));
  }
  for (std::size_t i = 0; i < hello.size(); ++i) {
    theirs.write_some(asio::buffer(&hello[i], 1));
    loop.poll();
    loop.restart();
  }
  // The stream answers on the other connection than the client reads from: carried over.
  theirs.non_blocking(true);
  REQUIRE(run_until(loop, [&] {
    Bytes answer(4'000);
    std::error_code failure;
    const auto size = theirs.read_some(asio::buffer(answer), failure);
    if (!failure) sending.write_some(asio::buffer(answer, size));
    return client.step();
  }));
  CHECK(client.succeeded);
  Bytes finished(2'000);
  finished.resize(sending.read_some(asio::buffer(finished)));
  theirs.write_some(asio::buffer(finished));
  CHECK(run_until(loop, [&] { return stream->opened(); }));
}

TEST_CASE("tls: the dialler learns the key of a certificate that a node made for itself", "[net]") {
  asio::io_context loop;
  auto pair = make_pair(Kind::tls, loop);
  auto& dialled = static_cast<net::TlsStream&>(*pair.dialled);
  auto& accepted = static_cast<net::TlsStream&>(*pair.accepted);
  CHECK_FALSE(dialled.peer_key());
  REQUIRE(run_until(loop, [&] { return dialled.opened() && accepted.opened(); }));
  CHECK(dialled.peer_key() == test_key(1).public_key());
  CHECK_FALSE(accepted.peer_key());  // no client certificate is asked for
}

TEST_CASE("tls: what is written before the handshake arrives after it", "[net]") {
  asio::io_context loop;
  auto [first, second] = connected_sockets(loop, loop);
  int opened = 0;
  net::TlsStream::Setup setup;
  setup.server_name = "node.example";
  setup.on_open = [&] { ++opened; };
  net::TlsStream dialled{std::move(first), test_dialler_context(), std::move(setup)};
  auto accepted = listening_end(std::move(second));
  Recorder one;
  Recorder two;
  dialled.set_handler(&one);
  accepted->set_handler(&two);
  dialled.write(Buffer{1000});
  accepted->write(Buffer{2000});
  REQUIRE(run_until(loop, [&] { return one.received == 2000 && two.received == 1000; }));
  CHECK(opened == 1);
}

TEST_CASE("tls: garbage, nothing at all, and a broken off handshake end the stream", "[net]") {
  asio::io_context loop;
  auto [theirs, ours] = connected_sockets(loop, loop);
  const auto limit = net::SteadyClock{}.now() + 100ms;
  auto stream = listening_end(std::move(ours), limit);
  Recorder record;
  stream->set_handler(&record);
  SECTION("garbage") {
    theirs.write_some(asio::buffer("GET / HTTP/1.1\r\nHost: example\r\n\r\n", 34));
    REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
    CHECK(record.failure->is(Errc::crypto));
    CHECK(net::SteadyClock{}.now() < limit);
  }
  SECTION("nothing") {
    REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
    CHECK(record.failure->is(Errc::timed_out));
    CHECK(net::SteadyClock{}.now() >= limit);
  }
  SECTION("half a hello") {
    theirs.write_some(asio::buffer("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
    CHECK(record.failure->is(Errc::timed_out));
  }
  SECTION("closed at once") {
    theirs.close();
    REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
    CHECK(record.failure->is(Errc::closed));
  }
  CHECK_FALSE(stream->opened());
  CHECK(record.received == 0);
}

TEST_CASE("tls: close during the handshake, with and without something to say", "[net]") {
  const auto says = GENERATE(false, true);
  asio::io_context loop;
  auto pair = make_pair(Kind::tls, loop);
  Recorder one;
  Recorder two;
  pair.dialled->set_handler(&one);
  pair.accepted->set_handler(&two);
  if (says) pair.dialled->write(Buffer{100});
  pair.dialled->close();
  REQUIRE(run_until(loop, [&] { return two.closed != 0 || two.ended; }));
  pair.accepted->close();
  REQUIRE(run_until(loop, [&] { return one.closed != 0 && two.closed != 0; }));
  CHECK(two.received == (says ? 100 : 0));
  CHECK_FALSE(one.failure);
}

TEST_CASE("tls: close before the handshake waits for it no longer than for anything else", "[net]") {
  asio::io_context loop;
  auto [silent, ours] = connected_sockets(loop, loop);
  net::TlsStream::Setup setup;
  setup.stream.stall_limit = 50ms;
  net::TlsStream stream{std::move(ours), test_dialler_context(), std::move(setup)};
  Recorder record;
  stream.set_handler(&record);
  stream.write(Buffer{100});
  stream.close();
  REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
  REQUIRE(record.failure);
  CHECK(record.failure->is(Errc::timed_out));
}

TEST_CASE("tls: a connection cut without TLS's own end is an error", "[net]") {
  asio::io_context loop;
  auto [theirs, ours] = connected_sockets(loop, loop);
  auto stream = listening_end(std::move(ours));
  Recorder record;
  stream->set_handler(&record);
  {
    OtherEnd client{std::move(theirs), false, TLS1_3_VERSION};
    REQUIRE(run_until(loop, [&] {
      loop.poll();
      loop.restart();
      return client.step() && stream->opened();
    }));
    CHECK(SSL_write(client.ssl(), "abc", 3) == 3);
  }
  REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
  CHECK(record.received == 3);
  CHECK_FALSE(record.ended);
  REQUIRE(record.failure);
  CHECK(record.failure->is(Errc::closed));
}

TEST_CASE("tls: bytes altered on the way end the stream, and none of them come up", "[net]") {
  asio::io_context loop;
  auto [first, relay_in] = connected_sockets(loop, loop);
  auto [relay_out, second] = connected_sockets(loop, loop);
  net::TlsStream dialled{std::move(first), test_dialler_context(), {}};
  auto accepted = listening_end(std::move(second));
  net::TcpStream in{std::move(relay_in)};
  net::TcpStream out{std::move(relay_out)};
  bool spoil = false;
  Recorder forward;
  Recorder backward;
  forward.hook = [&](ByteSpan bytes) {
    auto copy = Buffer::copy_of(bytes);
    if (spoil) copy.data()[copy.size() / 2] ^= std::byte{4};
    out.write(std::move(copy));
  };
  backward.hook = [&](ByteSpan bytes) { in.write(Buffer::copy_of(bytes)); };
  in.set_handler(&forward);
  out.set_handler(&backward);
  Recorder record;
  Recorder sender;
  accepted->set_handler(&record);
  dialled.set_handler(&sender);
  dialled.write(Buffer{100});
  REQUIRE(run_until(loop, [&] { return record.received == 100; }));
  spoil = true;
  dialled.write(Buffer{1000});
  REQUIRE(run_until(loop, [&] { return record.closed != 0 && sender.closed != 0; }));
  CHECK(record.received == 100);
  CHECK(record.failure->is(Errc::crypto));
  CHECK(sender.failure);
}

TEST_CASE("tls: the sending key is renewed after its number of records", "[net]") {
  const auto bytes = pattern(2'000'000, 9);
  const auto wire_bytes = [&](std::uint64_t records_per_key) {
    asio::io_context loop;
    auto [first, second] = connected_sockets(loop, loop);
    net::TlsStream::Setup setup;
    setup.records_per_key = records_per_key;
    net::TlsStream dialled{std::move(first), test_dialler_context(), std::move(setup)};
    auto accepted = listening_end(std::move(second));
    Recorder one;
    Recorder two{bytes};
    dialled.set_handler(&one);
    accepted->set_handler(&two);
    dialled.write(Buffer::copy_of(bytes));
    REQUIRE(run_until(loop, [&] { return two.received == bytes.size() || two.closed != 0; }));
    CHECK(two.received == bytes.size());
    CHECK_FALSE(two.differs);
    CHECK(one.closed == 0);
    return dialled.counters().wire_bytes;
  };
  // 123 records, written eight at a time; each renewal is a record of 27 bytes.
  CHECK(wire_bytes(3) == wire_bytes(1'000'000) + 15 * 27);
}

TEST_CASE("tls: large records come up whole, each in one buffer", "[net]") {
  constexpr std::size_t kFrame = 16'200;
  constexpr std::size_t kFrames = 400;
  struct Sizes final : StreamHandler {
    void on_data(Buffer data) override {
      sizes.push_back(data.size());
      received += data.size();
    }
    void on_end() override {}
    void on_closed(const Error* /*error*/) override {}
    std::vector<std::size_t> sizes;
    std::size_t received = 0;
  };
  asio::io_context loop;
  auto [first, second] = connected_sockets(loop, loop);
  net::TlsStream dialled{std::move(first), test_dialler_context(), {}};
  auto accepted = listening_end(std::move(second));
  Recorder writer;
  Sizes reader;
  dialled.set_handler(&writer);
  accepted->set_handler(&reader);
  const auto frame = pattern(kFrame, 1);
  for (std::size_t i = 0; i < kFrames; ++i) dialled.write(Buffer::copy_of(frame));
  REQUIRE(run_until(loop, [&] { return reader.received == kFrames * kFrame; }));
  // The first buffers are small ones, which a record does not fit in.
  const auto later = std::span{reader.sizes}.subspan(4);
  CHECK(later.size() >= kFrames / 5);
  CHECK(std::ranges::all_of(later, [](std::size_t size) { return size % kFrame == 0; }));
}

TEST_CASE("tls: one batch reads as many large records as it has pieces for, whole", "[net]") {
  constexpr std::size_t kFrame = 16'200;
  asio::io_context loop;
  auto [dialling, listening] = connected_sockets(loop, loop);
  dialling.non_blocking(true);
  listening.non_blocking(true);
  net::TlsTransport client{test_dialler_context(), "", 1'000};
  net::TlsTransport server{test_listener_context(), "", 1'000};
  net::BufferQueue nothing;
  auto opened = net::Io::would_block;
  for (auto accepted = net::Io::would_block; accepted != net::Io::progress || opened != net::Io::progress;) {
    if (opened != net::Io::progress) opened = client.open(dialling);
    REQUIRE(client.transmit(dialling, nothing) == net::Io::end);
    if (accepted != net::Io::progress) accepted = server.open(listening);
    REQUIRE(server.transmit(listening, nothing) == net::Io::end);
  }
  net::BufferQueue queue;
  for (int i = 0; i < 5; ++i) queue.push(Buffer::copy_of(pattern(kFrame, 1)));
  REQUIRE(client.transmit(dialling, queue) == net::Io::end);
  std::error_code failure;
  while (listening.available(failure) < 5 * kFrame) REQUIRE_FALSE(failure);

  net::BulkJob job;
  job.receives = true;
  for (int i = 0; i < 4; ++i) job.receiving.push_back({.data = Buffer{kFrame + 800}, .size = 0});
  job.run(server, listening);
  CHECK(job.filled());
  for (const auto& piece : job.receiving) CHECK(piece.size == kFrame);
}
