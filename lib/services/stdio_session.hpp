// One process of a command service, and the conversation of one caller with it.
//
// With an id it is a session of the revisions up to 2025-11-25: a client that goes away cancels nothing, and what it
// missed is kept for it. Without one it serves the stateless requests of one caller (2026-07-28): ids and progress
// tokens of several clients are made unique on the way in and restored on the way out, and a stream that the client
// closes is a request cancelled.
//
// Whose messages of the process are: responses by their id, progress by its token, notifications of a subscription by
// its id. Others belong to the one request under way; when there are several, to the client's GET stream if it is open,
// else to the oldest request; when there is none, they wait for the GET stream.
//
// A message is one line both ways; nothing else in it changes. Source: bridge, section 8.1.
#pragma once

#include <axl/key.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/logger.hpp"
#include "core/scheduler.hpp"
#include "core/system.hpp"
#include "services/stdio_message.hpp"
#include "services/stdio_stream.hpp"

namespace axl::services {

struct StdioLimits {
  std::size_t max_processes = 16;  ///< those on their way out count too
  std::size_t max_per_caller = SIZE_MAX;
  std::size_t max_message = 16'777'216;
  std::size_t replay_bytes = 1'048'576;  ///< of one session; the newest event is kept whatever its size
  std::size_t replay_events = 1'024;
  std::size_t requests = 1'024;             ///< without a response yet, of one session
  Duration idle{std::chrono::minutes{30}};  ///< no message and no open stream: the session ends
  Duration grace{std::chrono::seconds{2}};  ///< between end of input, SIGTERM and SIGKILL
};

class StdioSession final : private StreamHandler, private StdioStream::Owner {
 public:
  class Owner {
   public:
    /// The process is gone, or is of no more use. The session must not be destroyed inside this call.
    virtual void on_session_over(StdioSession& session) = 0;
    /// It has answered something.
    virtual void on_session_useful() = 0;
    /// It does not know the stateless revisions.
    virtual void on_not_modern() = 0;

   protected:
    ~Owner() = default;
  };

  /// `id` empty: stateless.
  StdioSession(Owner& owner, const std::string& service, const StdioLimits& limits, Scheduler& scheduler,
               const Logger& log, std::string id, const PublicKey& caller, std::unique_ptr<Process> process);
  StdioSession(const StdioSession&) = delete;
  StdioSession& operator=(const StdioSession&) = delete;
  ~StdioSession();  ///< kills the process and cuts what is open

  /// `messages`: views into `body`; at least one.
  void post(http::Exchange exchange, StdioStream::Form form, const std::vector<StdioMessage>& messages, Buffer body);
  /// The client listens: for what nobody asked for, or, with the id of an event, for what came after it.
  void get(http::Exchange exchange, std::optional<std::string_view> last_event);
  /// Ends open streams in order. What is returned is to be terminated; null: it has ended.
  [[nodiscard]] std::unique_ptr<Process> end();
  void on_tick(Time now);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  [[nodiscard]] const PublicKey& caller() const noexcept { return caller_; }
  [[nodiscard]] bool over() const noexcept { return over_; }
  [[nodiscard]] bool useful() const noexcept { return useful_; }
  [[nodiscard]] Time started() const noexcept { return started_; }
  [[nodiscard]] bool idle_at(Time now) const;

 private:
  struct Request {
    std::uint64_t stream = 0;
    std::string id;  ///< as the client wrote it
    std::string id_key;
    std::string token;  ///< as the client wrote it; empty: none
    std::string token_key;
  };
  struct Kept {
    std::uint64_t stream = 0;
    std::size_t size = 0;
  };

  // Of the process's standard output.
  void on_data(Buffer data) override;
  void on_end() override { give_up(); }
  void on_closed(const Error* error) override;
  // Of the answers.
  void on_room() override { update_reading(); }
  void on_left(std::uint64_t number) override;

  [[nodiscard]] bool stateless() const noexcept { return id_.empty(); }
  [[nodiscard]] bool refuse(http::Exchange& exchange, const std::vector<StdioMessage>& messages);
  [[nodiscard]] std::string register_request(const StdioMessage& message, StdioStream& stream);
  void forward(std::string line);
  void forward_body(const std::vector<StdioMessage>& messages, Buffer body);
  [[nodiscard]] std::string to_process(const StdioMessage& message) const;
  void take_line(std::string_view line);
  void take_response(const StdioMessage& message);
  void take_other(const StdioMessage& message);
  void answer(StdioStream& stream, const StdioMessage& message, std::string text);
  void answer_at_once(StdioStream& stream, const StdioMessage& message, const std::string& text);
  [[nodiscard]] StdioStream* related(const StdioMessage& message);
  [[nodiscard]] const Request* request_of(const StdioMessage& message) const;
  [[nodiscard]] StdioStream* find(std::uint64_t number);
  [[nodiscard]] StdioStream& stream_at(std::uint64_t number, StdioStream::Form form = StdioStream::Form::events);
  void keep(StdioStream& stream, std::string text);
  void forget(std::map<std::string, Request>::iterator request);
  void drop_if_over(std::uint64_t number);
  [[nodiscard]] bool primes() const { return version_ >= "2025-11-25"; }
  void update_reading();
  void give_up();

  Owner& owner_;
  const std::string& service_;
  const StdioLimits& limits_;
  Scheduler& scheduler_;
  const Logger& log_;
  const std::string id_;
  const PublicKey caller_;
  const Time started_;
  std::unique_ptr<Process> process_;
  std::string version_;  // as negotiated
  std::string line_;     // the process's, not yet ended

  std::map<std::uint64_t, std::unique_ptr<StdioStream>> streams_;  // 0: what nobody asked for
  std::uint64_t next_stream_ = 1;
  std::map<std::string, Request> requests_;    // by the key of the id that the process knows
  std::map<std::string, std::string> tokens_;  // token's key, as the process knows it -> request's key
  std::uint64_t next_id_ = 1;                  // stateless: the next id to give
  std::deque<Kept> kept_;                      // events kept for those who come back, oldest first
  std::size_t kept_bytes_ = 0;

  Time active_;
  Time kept_alive_;
  bool paused_ = false;
  bool useful_ = false;
  bool over_ = false;
  bool exited_ = false;
};

}  // namespace axl::services
