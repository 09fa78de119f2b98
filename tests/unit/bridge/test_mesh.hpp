// Nodes' bridges joined by a mesh that is only a table: connecting to a key and a port gives a pipe, or what the test
// wants to happen instead.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bridge/bridge.hpp"
#include "bridge/host.hpp"
#include "crypto/hash.hpp"
#include "http/client_connection.hpp"
#include "router/dispatcher.hpp"
#include "router/frame_reader.hpp"
#include "test_loop.hpp"

namespace axl::test {

inline PublicKey key_of(unsigned char number) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes.fill(std::byte{0x42});
  bytes[1] = std::byte{number};
  bytes[31] = std::byte{number};
  return PublicKey{bytes};
}

/// A pipe's end as a connection with a peer.
class PipeConnection final : public tcpip::Connection {
 public:
  PipeConnection(std::unique_ptr<Stream> stream, const PublicKey& peer, std::uint16_t local, std::uint16_t remote)
      : stream_{std::move(stream)}, peer_{peer}, local_{local}, remote_{remote} {}
  void set_handler(StreamHandler* handler) override { stream_->set_handler(handler); }
  void write(Buffer data) override { stream_->write(std::move(data)); }
  [[nodiscard]] std::size_t unsent() const override { return stream_->unsent(); }
  [[nodiscard]] std::optional<std::uint64_t> begun() const override { return stream_->begun(); }
  [[nodiscard]] std::size_t high_mark() const override { return stream_->high_mark(); }
  void pause_reading() override { stream_->pause_reading(); }
  void resume_reading() override { stream_->resume_reading(); }
  void shutdown_send() override { stream_->shutdown_send(); }
  void close() override { stream_->close(); }
  void abort() override { stream_->abort(); }
  [[nodiscard]] const PublicKey& peer() const override { return peer_; }
  [[nodiscard]] std::uint16_t local_port() const override { return local_; }
  [[nodiscard]] std::uint16_t remote_port() const override { return remote_; }

 private:
  std::unique_ptr<Stream> stream_;
  PublicKey peer_;
  std::uint16_t local_;
  std::uint16_t remote_;
};

class TestMesh;

/// A machine without servers and programs.
class BareSystem final : public System {
 public:
  explicit BareSystem(TestExecutor& executor) : executor_{executor} {}
  void dial(const Place&, Duration, DialHandler handler) override {
    executor_.post([handler = std::move(handler)] { handler(Error{Errc::refused, "nobody listens"}); });
  }
  [[nodiscard]] Result<std::unique_ptr<Process>> start(const ProcessOptions&) override {
    return Error{Errc::not_found, "no such program"};
  }

 private:
  TestExecutor& executor_;
};

/// One node: a real Bridge on a host that is the mesh.
class TestNode final : public bridge::Host {
 public:
  TestNode(TestMesh& mesh, const PublicKey& key, NodeConfig config, bridge::ApiConfig api);

  [[nodiscard]] Time now() const override;
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override;
  [[nodiscard]] Executor& executor() override;
  [[nodiscard]] Rng& rng() override { return rng_; }
  [[nodiscard]] const PublicKey& our_key() const override { return key_; }
  [[nodiscard]] System& system() override { return system_; }
  [[nodiscard]] Topology topology() const override {
    Topology out;
    out.our_key = key_;
    out.our_address = Address::of(key_);
    out.peers = neighbours;
    return out;
  }
  [[nodiscard]] std::size_t peers_up() const override {
    return static_cast<std::size_t>(std::ranges::count_if(neighbours, [](const auto& peer) { return peer.up; }));
  }
  [[nodiscard]] std::vector<KnownNode> known_nodes(std::size_t limit,
                                                   const std::optional<PublicKey>& after) const override {
    std::vector<KnownNode> out;
    for (const auto& [key, node] : nodes) {
      if ((!after || key > *after) && out.size() < limit) out.push_back(node);
    }
    return out;
  }
  [[nodiscard]] std::optional<KnownNode> known_node(const PublicKey& key) const override {
    const auto found = nodes.find(key);
    return found == nodes.end() ? std::nullopt : std::optional{found->second};
  }
  void count(Statistics& out) const override { out.paths = nodes.size(); }
  Result<void> dial_peer(const std::string& uri, const std::string&) override {
    if (uri.find("://") == std::string::npos) return Error{Errc::invalid_argument, "no scheme"};
    if (!dialled.insert(uri).second) return Error{Errc::already_exists, "twice"};
    return {};
  }
  Result<void> forget_peer(const std::string& uri, const std::string&) override {
    if (dialled.erase(uri) == 0) return Error{Errc::not_found, "none"};
    return {};
  }
  void ping(const PublicKey& peer, Duration timeout, std::function<void(Result<Duration>)> handler) override;
  [[nodiscard]] std::optional<PublicKey> full_key(const Address& address) const override {
    const auto found = known.find(address);
    return found == known.end() ? std::nullopt : std::optional{found->second};
  }
  void connect(const PublicKey& key, std::uint16_t port, Duration timeout,
               tcpip::Stack::ConnectHandler handler) override;

  [[nodiscard]] bridge::Bridge& bridge() { return *bridge_; }
  [[nodiscard]] Router router() { return Router{bridge_->dispatcher(), bridge_->leases(), bridge_->services()}; }
  void destroy() { bridge_.reset(); }

  std::vector<Topology::Peer> neighbours;
  std::map<Address, PublicKey> known;  ///< what full_key() says
  std::map<PublicKey, KnownNode> nodes;
  std::set<std::string> dialled;
  std::map<PublicKey, Result<Duration>> round_trips;  ///< of others: unreachable when the time is over
  std::vector<std::string> log;

 private:
  TestMesh& mesh_;
  PublicKey key_;
  crypto::SeededRng rng_;
  BareSystem system_;
  std::unique_ptr<bridge::Bridge> bridge_;
};

class TestMesh {
 public:
  using AcceptHandler = std::function<void(std::unique_ptr<tcpip::Connection>)>;

  TestNode& add(unsigned char number, NodeConfig config = {}, bridge::ApiConfig api = {}) {
    const auto key = key_of(number);
    auto& node = *nodes_.emplace_back(std::make_unique<TestNode>(*this, key, config, std::move(api)));
    listen(key, config.tcp_port, [&node](auto connection) { node.bridge().accept_frames(std::move(connection)); });
    listen(key, config.http_port, [&node](auto connection) { node.bridge().accept_http(std::move(connection)); });
    return node;
  }
  /// What answers at that port; a null handler: nobody, so connecting is refused.
  void listen(const PublicKey& key, std::uint16_t port, AcceptHandler handler) {
    ports_[{key, port}] = std::move(handler);
  }
  void silence(const PublicKey& key, std::uint16_t port) { silent_.insert({key, port}); }
  void unsilence(const PublicKey& key, std::uint16_t port) { silent_.erase({key, port}); }

  void connect(const PublicKey& from, const PublicKey& to, std::uint16_t port, Duration timeout,
               tcpip::Stack::ConnectHandler handler) {
    ++connects;
    if (silent_.contains({to, port})) {
      timers_.push_back(loop.make_timer([handler = std::move(handler)] { handler(Error{Errc::timed_out, "silent"}); }));
      timers_.back()->arm(loop.now() + timeout);
      return;
    }
    loop.executor().post([this, from, to, port, handler = std::move(handler)] {
      for (const auto& [place, accept] : ports_) {
        if (Address::of(place.first) != Address::of(to) || place.second != port || !accept) continue;
        if (place.first != to && Address::of(to).partial_key() != to) {
          handler(Error{Errc::key_mismatch, "another key"});
          return;
        }
        auto [ours, theirs] = loop.make_pipe(pipe_options);
        accept(std::make_unique<PipeConnection>(std::move(theirs), from, port, std::uint16_t{50'000}));
        handler(Result<std::unique_ptr<tcpip::Connection>>{
            std::make_unique<PipeConnection>(std::move(ours), place.first, std::uint16_t{50'000}, port)});
        return;
      }
      handler(Error{Errc::refused, "nobody listens"});
    });
  }

  void ping(Duration timeout, std::optional<Result<Duration>> round_trip,
            std::function<void(Result<Duration>)> handler) {
    timers_.push_back(loop.make_timer([round_trip, handler = std::move(handler)] {
      handler(round_trip.value_or(Error{Errc::unreachable, "operation timed out"}));
    }));
    timers_.back()->arm(loop.now() + (round_trip && *round_trip ? **round_trip : timeout));
  }

  TestLoop loop;
  Pipe::Options pipe_options;
  int connects = 0;

 private:
  using Place = std::pair<PublicKey, std::uint16_t>;
  std::map<Place, AcceptHandler> ports_;
  std::set<Place> silent_;
  std::vector<std::unique_ptr<Timer>> timers_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
};

inline TestNode::TestNode(TestMesh& mesh, const PublicKey& key, NodeConfig config, bridge::ApiConfig api)
    : mesh_{mesh}, key_{key}, rng_{static_cast<std::uint64_t>(key.bytes()[1])}, system_{mesh.loop.executor()} {
  Logger logger{[this](LogLevel, std::string_view, std::string_view text) { log.emplace_back(text); }, LogLevel::debug};
  bridge_ = std::make_unique<bridge::Bridge>(config, std::move(api), *this, std::move(logger));
}
inline Time TestNode::now() const { return mesh_.loop.now(); }
inline std::unique_ptr<Timer> TestNode::make_timer(std::function<void()> fire) {
  return mesh_.loop.make_timer(std::move(fire));
}
inline Executor& TestNode::executor() { return mesh_.loop.executor(); }
inline void TestNode::ping(const PublicKey& peer, Duration timeout, std::function<void(Result<Duration>)> handler) {
  mesh_.ping(timeout, round_trips.contains(peer) ? std::optional{round_trips.at(peer)} : std::nullopt,
             std::move(handler));
}
inline void TestNode::connect(const PublicKey& key, std::uint16_t port, Duration timeout,
                              tcpip::Stack::ConnectHandler handler) {
  mesh_.connect(key_, key, port, timeout, std::move(handler));
}

/// Takes what a connection receives; for scripted peers.
class Recorder final : private StreamHandler {
 public:
  explicit Recorder(std::unique_ptr<Stream> stream) : stream_{std::move(stream)} { stream_->set_handler(this); }
  ~Recorder() { stream_->set_handler(nullptr); }
  [[nodiscard]] Stream& stream() { return *stream_; }
  void write(std::string_view text) { stream_->write(Buffer::copy_of(as_bytes(text))); }

  std::string received;
  bool ended = false;
  bool closed = false;

 private:
  void on_data(Buffer data) override { received += as_text(data); }
  void on_end() override { ended = true; }
  void on_closed(const Error*) override { closed = true; }
  std::unique_ptr<Stream> stream_;
};

struct Answer {
  int status = 0;  ///< 0: none came
  http::Headers headers;
  std::string body;
  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string{headers.get(name).value_or("(none)")};
  }
};

/// A program that uses a node's local API, or a peer that uses its port 7001.
class HttpUser {
 public:
  HttpUser(TestMesh& mesh, TestNode& node) : mesh_{mesh}, node_{node} {}
  HttpUser(TestMesh& mesh, TestNode& node, const PublicKey& as) : mesh_{mesh}, node_{node}, as_{as} {
    host_ = "[" + Address::of(node.our_key()).to_string() + "]";
  }

  /// Begins a request; the answer appears later.
  std::shared_ptr<Answer> begin(std::string_view method, std::string_view target,
                                std::vector<std::pair<std::string, std::string>> headers = {},
                                std::string_view body = {}) {
    if (!connection_ || !connection_->usable()) connect();
    http::Request request{.method = method, .target = target, .headers = {}};
    if (std::none_of(headers.begin(), headers.end(), [](const auto& h) { return h.first == "Host"; })) {
      request.headers.add("Host", host_);
    }
    for (const auto& [name, value] : headers) request.headers.add_line(name, value);
    auto answer = std::make_shared<Answer>();
    const auto sent =
        connection_->send(request, Buffer::copy_of(as_bytes(body)), http::BodyLimits{.max_bytes = 1UL << 30U},
                          [answer](Result<http::Response> response, http::Delivery) {
                            if (!response) return;
                            answer->status = response->head.status;
                            answer->headers = response->head.headers;
                            answer->body = as_text(response->body);
                          });
    static_cast<void>(sent);
    return answer;
  }
  /// Runs until the answer is there or nothing moves any more.
  Answer ask(std::string_view method, std::string_view target,
             std::vector<std::pair<std::string, std::string>> headers = {}, std::string_view body = {}) {
    const auto answer = begin(method, target, std::move(headers), body);
    mesh_.loop.run_until([&] { return answer->status != 0; });
    return *answer;
  }
  Answer send(const PublicKey& to, std::string_view body,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    headers.emplace_back("X-Destination-Peer-Id", to.to_hex());
    return ask("POST", "/send", std::move(headers), body);
  }
  void disconnect() { connection_.reset(); }

 private:
  void connect() {
    auto [ours, theirs] = mesh_.loop.make_pipe(mesh_.pipe_options);
    if (as_) {
      node_.bridge().accept_http(
          std::make_unique<PipeConnection>(std::move(theirs), *as_, std::uint16_t{7001}, std::uint16_t{50'000}));
    } else {
      node_.bridge().accept_local(std::move(theirs));
    }
    connection_.emplace(std::move(ours), http::ClientLimits{}, mesh_.loop.executor(), mesh_.loop.now());
  }

  TestMesh& mesh_;
  TestNode& node_;
  std::optional<PublicKey> as_;
  std::string host_ = "127.0.0.1:9002";
  std::optional<http::ClientConnection> connection_;
};

}  // namespace axl::test
