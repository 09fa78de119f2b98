// Calls MCP services for those who cannot speak HTTP streams: one message in, one answer out.
//
// What the service needs around the message is done here: a session for each (caller key, service), opened when the
// service asks for one, and once more when it has forgotten it; the headers that repeat the message; event streams
// folded to the response; requests of the server answered with -32601, since nobody is there to ask. Within a session
// every request gets an id of its own, so two clients behind one caller may number theirs alike.
//
// Source: bridge, section 8.4 (our role: responder, a to d). Lives on the loop.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "services/mcp_handshake.hpp"
#include "services/mcp_post.hpp"
#include "services/mcp_sessions.hpp"

namespace axl::services {

class McpCaller {
 public:
  struct Limits {
    McpSessions::Limits sessions = {};
    std::size_t max_answer = 16UL * 1024 * 1024;
    std::size_t errands = 256;  ///< notifications and answers to servers under way; more are left out
    Duration errand_timeout{std::chrono::seconds{10}};
    Duration handshake_timeout{std::chrono::seconds{20}};
  };
  struct Message {
    PublicKey caller;
    std::shared_ptr<const Service> service;
    Bytes body;  ///< one JSON-RPC message
    Duration timeout{std::chrono::seconds{29}};
  };
  /// Called once, never inside call(). The response as JSON; empty when the service took the message without one. May
  /// destroy the call. Errors: malformed (message or answer), refused (a status, in the text), timed_out, and those of
  /// the connection.
  using AnswerHandler = std::function<void(Result<Bytes> answer)>;
  /// Notifications that come before the response, such as progress. Must not destroy the call.
  using EventHandler = std::function<void(std::string_view notification)>;

  /// Under way. Destroying it cuts the request and tells the session's server; no handler is called.
  class Call {
   public:
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    virtual ~Call() = default;
  };

  explicit McpCaller(Scheduler& scheduler) : McpCaller{scheduler, Limits{}} {}
  McpCaller(Scheduler& scheduler, Limits limits);
  McpCaller(const McpCaller&) = delete;
  McpCaller& operator=(const McpCaller&) = delete;
  ~McpCaller();  ///< after its calls

  [[nodiscard]] std::unique_ptr<Call> call(Message message, AnswerHandler answer, EventHandler event = {});
  [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }

 private:
  class Running;
  struct Errand {
    std::unique_ptr<Timer> timer;
    std::unique_ptr<McpPost> post;
  };
  // A session being opened, and who waits for it.
  struct Opening {
    std::unique_ptr<Timer> timer;
    std::unique_ptr<McpHandshake> handshake;
    std::set<std::uint64_t> waiting;
  };

  void open_session(const McpSessionKey& key, const std::shared_ptr<const Service>& service, std::uint64_t call);
  void on_opened(const McpSessionKey& key, Result<McpSession> session);
  std::shared_ptr<const McpSession> remember(const McpSessionKey& key, McpSession session);
  void end(const McpSessions::Gone& sessions);
  void run_errand(McpPost::Request request);
  void arm();

  Scheduler& scheduler_;
  Limits limits_;
  McpSessions sessions_;
  std::map<McpSessionKey, Opening> openings_;
  std::list<Errand> errands_;
  std::map<std::uint64_t, Running*> running_;  // by number, in the order of their coming
  std::uint64_t next_call_ = 1;
  std::unique_ptr<Timer> timer_;  // for idle sessions
  bool armed_ = false;
  std::uint64_t next_id_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::services
