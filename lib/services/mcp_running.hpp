// One call of McpCaller. Lives on the loop.
#pragma once

#include <optional>

#include "services/mcp_caller.hpp"

namespace axl::services {

class McpCaller::Running final : public McpCaller::Call {
 public:
  Running(McpCaller& owner, Message message, AnswerHandler answer, EventHandler event);
  ~Running() override;

  void begin();
  void on_session(const Result<std::shared_ptr<const McpSession>>& session);

 private:
  void post(std::shared_ptr<const McpSession> session);
  void on_answer(Result<McpPost::Answer> answer);
  void on_initialize(McpPost::Answer answer);
  void on_message(std::string_view message, const mcp::JsonRpc& head);
  [[nodiscard]] bool open_after(int status) const;
  void deliver(McpPost::Answer answer);
  void deliver_json(ByteSpan answer, std::string_view id);
  void open();
  void pass_cancellation();
  void tell_cancelled();
  void finish_later(Result<Bytes> answer);
  void finish(Result<Bytes> answer);
  [[nodiscard]] McpSessionKey key() const { return {message_.caller, message_.service->info.name}; }

  McpCaller& owner_;
  std::uint64_t number_;
  Message message_;
  AnswerHandler answer_;
  EventHandler event_;
  mcp::JsonRpc head_;                          // views into message_.body
  std::string id_;                             // the id sent, if not the message's own
  std::shared_ptr<const McpSession> session_;  // that it was sent in
  std::unique_ptr<McpPost> post_;
  std::unique_ptr<McpHandshake> handshake_;  // behind an `initialize` of the caller's own
  std::optional<McpPost::Answer> refusal_;   // the answer of the first attempt, or to that `initialize`
  std::optional<Result<Bytes>> due_;         // what the timer is to hand over
  std::unique_ptr<Timer> timer_;
  bool retried_ = false;
};

}  // namespace axl::services
