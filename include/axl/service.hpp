// A service in the program itself: gets HTTP requests of peers, answers whole or in pieces.
//
// Source: bridge, sections 5 and 8.3.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace axl {

namespace services {
struct ReplyState;
}

/// Name and value, in order; names compare without case.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One request, its body gathered (at most `max_message_size` bytes).
struct ServiceRequest {
  PublicKey caller;     ///< the full key that the end-to-end session proved; our own for a local caller
  std::string service;  ///< the registered name
  std::string method;   ///< POST, GET, DELETE ...
  std::string path;     ///< what follows the service's name, as written; empty or beginning with `/`
  std::string query;    ///< without the `?`
  HeaderList headers;
  Bytes body;

  /// The first value under that name.
  [[nodiscard]] AXL_API std::optional<std::string_view> header(std::string_view name) const noexcept;
};

/// The answer to one request. May be kept, and used from any thread. Destroyed unanswered: 500; begun and not finished:
/// the caller sees a broken answer.
class AXL_API ServiceReply {
 public:
  ServiceReply() = default;  ///< to no request
  explicit ServiceReply(std::shared_ptr<services::ReplyState> state) noexcept;
  ServiceReply(ServiceReply&&) noexcept;
  ServiceReply& operator=(ServiceReply&&) noexcept;
  ServiceReply(const ServiceReply&) = delete;
  ServiceReply& operator=(const ServiceReply&) = delete;
  ~ServiceReply();

  /// The whole answer.
  void respond(int status, HeaderList headers, Bytes body);
  void respond_json(std::string_view json);  ///< 200, application/json
  /// An answer in pieces, each sent at once.
  void start(int status, HeaderList headers);
  void write(Bytes piece);
  void finish();
  void abort();

  [[nodiscard]] bool connected() const;  ///< the caller still listens
  /// Bytes written that wait here because the caller reads slowly; what is on its way (at most 64 KiB) does not count.
  [[nodiscard]] std::size_t pending() const;
  /// Called on the loop each time pending() has fallen to zero.
  void on_writable(std::function<void()> handler);
  /// Called once, on the loop, when the caller has gone before the answer was finished.
  void on_cancel(std::function<void()> handler);

 private:
  std::shared_ptr<services::ReplyState> state_;
};

/// Runs on the node's loop; must not block.
using ServiceHandler = std::function<void(ServiceRequest request, ServiceReply reply)>;

/// Who may use a service.
struct ServiceAccess {
  bool everyone = true;
  std::vector<PublicKey> allow = {};  ///< full keys; used when `everyone` is off
};

/// A server that this node starts, speaking MCP over its standard input and output; one process per caller's session.
struct ServiceCommand {
  std::vector<std::string> command;                              ///< program, looked up in PATH, and its arguments
  std::vector<std::pair<std::string, std::string>> environment;  ///< besides PATH, HOME and LANG
  std::string directory;                                         ///< where it runs; empty: where the node does
  std::size_t max_processes = 16;
  std::size_t max_processes_per_caller = 0;  ///< 0: half of them, rounded up, when others are allowed too; else all
  Duration idle{std::chrono::minutes{30}};   ///< no message and no open stream: the session ends
};

/// Asks a service at a URL now and then whether it is there.
struct ServiceProbe {
  std::string path = "/";  ///< on the service's server; any answer but 5xx will do
  Duration interval{std::chrono::seconds{30}};
};

/// How much a service is used.
struct ServiceUse {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  ///< of these, without an answer, or with a status of 5xx
  std::size_t in_flight = 0;
};

struct ServiceInfo {
  enum class Kind : std::uint8_t { url, command, handler };
  std::string name;
  Kind kind{};
  std::string endpoint;       ///< the URL, or the command line; empty for a handler
  std::string registered_at;  ///< ISO 8601, UTC
  bool healthy = true;        ///< the last use or probe got an answer
  ServiceUse use = {};        ///< since it was added under this name
};

}  // namespace axl
