// A set of HTTP connections under common limits, and one handler for their requests.
//
// At the limit a connection that has been idle for a while makes room, the longest idle one of the client with the
// most connections first; if there is none, the new connection gets 503 with Retry-After to its first request.
//
// Polled: next_tick() says when on_tick() has work. Lives on the loop. Destroying it aborts all connections and calls
// no handler.
#pragma once

#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/executor.hpp"
#include "http/server_connection.hpp"

namespace axl::http {

using RequestHandler = std::function<void(Exchange exchange)>;

struct ServerLimits {
  ConnectionLimits connection = {};
  std::size_t connections = 4096;
  /// Of these, kept for trusted clients.
  std::size_t reserved = 0;
  /// Of one key. Connections without a key count as one client's, but only against `connections`.
  std::size_t connections_per_key = 1024;
  /// Connections over the limit that may wait for their 503 at once; further ones are closed.
  std::size_t refusals = 256;
  /// Bytes of answers that may wait for the clients of one key, and for all clients, to take them. A large answer that
  /// finds no room is 503 with Retry-After, a large piece of one is the last: the answer is cut. For servers whose
  /// handlers do not ask for room.
  std::size_t unsent_per_key = SIZE_MAX;
  std::size_t unsent = SIZE_MAX;
  /// A connection idle for so long may be closed to make room.
  Duration evict_after{std::chrono::seconds{1}};
};

class Server final : private ConnectionOwner {
 public:
  /// `executor` runs handlers that an answer given from outside makes possible; it must outlive the server.
  Server(ServerLimits limits, Executor& executor, RequestHandler handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  void accept(std::unique_ptr<Stream> stream, Client client, Time now);

  [[nodiscard]] std::optional<Time> next_tick() const noexcept;
  void on_tick(Time now);

  /// Accepts nothing more; idle connections close, the others after the answer under way.
  void drain();

  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
  /// Requests whose answer is not finished.
  [[nodiscard]] std::size_t answering() const noexcept;
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  enum class Place : std::uint8_t {
    counted,
    refused,  // over the limit: waits for its 503
    leaving,  // gave its place to another
  };
  struct Entry {
    std::unique_ptr<ServerConnection> connection;
    Place place = Place::counted;
  };

  void on_request(ServerConnection& connection, Exchange exchange) override;
  void on_ready(ServerConnection& connection) override;
  void on_gone(ServerConnection& connection) override;
  [[nodiscard]] bool may_wait(const ServerConnection& connection, std::size_t bytes) const override;
  void run_ready();
  /// Calls `act` for every connection; any may go meanwhile, and the server too.
  template <class Act>
  void for_each(Act act);

  [[nodiscard]] bool has_place(const Client& client) const;
  bool make_place(const Client& client);
  [[nodiscard]] std::size_t count_of(const std::optional<PublicKey>& key) const;
  void count(const Client& client, bool arrives);

  ServerLimits limits_;
  Executor& executor_;
  std::shared_ptr<const RequestHandler> handler_;
  std::map<std::uint64_t, Entry> connections_;  // by number, in the order of their coming
  std::uint64_t next_id_ = 0;
  std::unordered_map<PublicKey, std::size_t> by_key_;
  std::size_t counted_ = 0;
  std::size_t strangers_ = 0;  // counted connections of clients that are not trusted
  std::size_t uncounted_ = 0;  // refused and leaving ones
  std::uint64_t refused_ = 0;
  std::vector<std::uint64_t> ready_;
  std::vector<std::uint64_t> running_;  // the last of them, kept for its memory
  bool posted_ = false;
  bool draining_ = false;
  Time now_{};
  std::optional<Time> ticked_;  // set while there are connections
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::http
