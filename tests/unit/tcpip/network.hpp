// Stacks joined by links with delay, loss and reordering, in virtual time and from a seed.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "tcpip/stack.hpp"

namespace axl::tcpip::test {

[[nodiscard]] PublicKey key_of(std::uint64_t seed);
[[nodiscard]] Bytes random_bytes(std::uint64_t seed, std::size_t size);

struct Link {
  Duration delay{std::chrono::milliseconds{1}};
  double loss = 0;
  double late = 0;  ///< share of packets that come `late_by` later than the others
  Duration late_by{std::chrono::milliseconds{3}};
};

class Network;

/// One node: a stack and its host.
class Host final : public StackHost {
 public:
  Host(Network& network, const PublicKey& own_key, const Stack::Config& config, std::uint64_t seed);

  bool send_packet(const PublicKey& dest, Buffer& packet) override;
  void open_session(const PublicKey& peer) override;
  bool session_is_up(const PublicKey& peer) override { return sessions.contains(peer); }
  void on_work() override { ++told; }

  const PublicKey key;
  bool blocked = false;  ///< no packet leaves
  bool silent = false;   ///< open_session is never answered
  std::set<PublicKey> sessions;
  std::size_t asked = 0;                  ///< calls of open_session
  std::size_t told = 0;                   ///< calls of on_work
  std::size_t sent = 0;                   ///< packets
  std::size_t refused = 0;                ///< packets not taken
  std::size_t largest = 0;                ///< packet
  std::function<void(ByteSpan)> on_send;  ///< sees every packet that leaves
  std::vector<std::string> log;           ///< warnings and errors

 private:
  Network& network_;
  crypto::SeededRng rng_;

 public:
  std::unique_ptr<Stack> stack;  ///< last: it goes first
};

class Network {
 public:
  explicit Network(std::uint64_t seed = 1) : rng_{seed} {}

  Host& add(const Stack::Config& config = {});
  void send(const PublicKey& from, const PublicKey& to, Buffer packet);
  void session_wanted(Host& host, const PublicKey& key);

  /// Goes on until `done` or until `limit` of virtual time has passed; what `done` says then.
  bool run(const std::function<bool()>& done, Duration limit = std::chrono::seconds{60});
  void run_for(Duration duration) {
    run([] { return false; }, duration);
  }
  /// Calls something of a stack, as its loop would.
  void turn(Host& host) { host.stack->run_handlers(); }

  Time now{};
  Link link;
  std::size_t lost = 0;
  std::vector<std::unique_ptr<Host>> hosts;

 private:
  struct Event {
    Time at;
    std::uint64_t order;
    std::function<void()> action;
    bool operator>(const Event& other) const { return std::pair{at, order} > std::pair{other.at, other.order}; }
  };
  Host* find(const PublicKey& key);
  [[nodiscard]] double chance();
  void schedule(Duration delay, std::function<void()> action);

  crypto::SeededRng rng_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::map<std::pair<PublicKey, PublicKey>, Time> last_arrival_;
};

/// Takes what comes on a connection and notes what happens to it.
class Reader final : public StreamHandler {
 public:
  Reader() = default;
  ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void take(std::unique_ptr<Connection> accepted) {
    connection = std::move(accepted);
    if (connection) connection->set_handler(this);
  }

  void on_data(Buffer data) override {
    if (keep) received.insert(received.end(), data.span().begin(), data.span().end());
    count += data.size();
    if (then) then(data.span());
  }
  void on_end() override {
    ended = true;
    if (at_end) at_end();
  }
  void on_writable() override { ++writable; }
  void on_drained() override { ++drained; }
  void on_closed(const Error* error) override {
    ++closed;
    if (error != nullptr) failure = *error;
    if (at_close) at_close();
  }

  std::unique_ptr<Connection> connection;
  bool keep = true;
  Bytes received;
  std::size_t count = 0;
  std::function<void(ByteSpan)> then;
  std::function<void()> at_end;
  std::function<void()> at_close;
  bool ended = false;
  int writable = 0;
  int drained = 0;
  int closed = 0;
  std::optional<Error> failure;
};

/// A connection from `client` to `server`, both ends with readers; empty if it does not come up.
struct Pair {
  std::unique_ptr<Reader> client = std::make_unique<Reader>();
  std::unique_ptr<Reader> server = std::make_unique<Reader>();
  explicit operator bool() const { return client->connection && server->connection; }
};
[[nodiscard]] Pair join(Network& network, Host& client, Host& server, std::uint16_t port = 7000);

/// Writes all of `data` as a well-behaved writer does, waiting while too much is unsent.
class Writer {
 public:
  Writer(Reader& end, ByteSpan data) : end_{end}, data_{data} {}
  void go(std::size_t piece = 64 * 1024);
  [[nodiscard]] bool done() const { return at_ == data_.size(); }

 private:
  Reader& end_;
  ByteSpan data_;
  std::size_t at_ = 0;
};

}  // namespace axl::tcpip::test
