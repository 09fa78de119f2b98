#include "services/mcp_running.hpp"

#include <utility>

#include "mcp/json.hpp"
#include "services/mcp_headers.hpp"

namespace axl::services {

namespace {

using Kind = mcp::JsonRpc::Kind;

// `body` with `part`, which lies in it, replaced.
Bytes with_part(ByteSpan body, std::string_view part, std::string_view replacement) {
  const auto text = as_text(body);
  const auto begin = static_cast<std::size_t>(part.data() - text.data());
  std::string out;
  out.reserve(text.size() + replacement.size());
  out.append(text.substr(0, begin)).append(replacement).append(text.substr(begin + part.size()));
  return to_bytes(out);
}

std::string reply_to(const mcp::JsonRpc& request) {
  if (request.method == "ping") return R"({"jsonrpc":"2.0","id":)" + std::string{request.id} + R"(,"result":{}})";
  return mcp::encode_rpc_error(request.id, -32601, "Method not found: nobody is there to ask");
}

}  // namespace

McpCaller::Running::Running(McpCaller& owner, Message message, AnswerHandler answer, EventHandler event)
    : owner_{owner},
      number_{owner.next_call_++},
      message_{std::move(message)},
      answer_{std::move(answer)},
      event_{std::move(event)} {
  owner_.running_.emplace(number_, this);
  timer_ = owner_.scheduler_.make_timer([this] {
    auto due = due_ ? std::move(*due_) : Result<Bytes>{Error{Errc::timed_out, "Service timeout"}};
    tell_cancelled();
    finish(std::move(due));
  });
}

McpCaller::Running::~Running() {
  tell_cancelled();
  owner_.running_.erase(number_);
}

void McpCaller::Running::begin() {
  auto head = mcp::peek(message_.body);
  if (!head) {
    finish_later(Error{Errc::malformed, "not a JSON-RPC message"});
    return;
  }
  head_ = std::move(*head);
  timer_->arm(owner_.scheduler_.now() + message_.timeout);
  if (head_.meta_version || head_.method == "initialize") {
    post(nullptr);
    return;
  }
  const auto session = owner_.sessions_.find(key(), message_.service, owner_.scheduler_.now());
  if (session && head_.method == "notifications/initialized") {
    finish_later(Bytes{});  // the server has heard it from us
  } else if (session && !session->id.empty() && head_.method == "notifications/cancelled") {
    session_ = session;
    pass_cancellation();
  } else if (!session && head_.kind == Kind::request && owner_.sessions_.wants_session(message_.service->info.name)) {
    open();
  } else {
    post(session);
  }
}

void McpCaller::Running::open() {
  retried_ = true;
  owner_.open_session(key(), message_.service, number_);
}

void McpCaller::Running::on_session(const Result<std::shared_ptr<const McpSession>>& session) {
  if (session) {
    post(*session);
  } else if (refusal_) {
    deliver(std::move(*refusal_));
  } else {
    post(nullptr);
  }
}

void McpCaller::Running::post(std::shared_ptr<const McpSession> session) {
  session_ = std::move(session);
  McpPost::Request request{.service = message_.service,
                           .caller = message_.caller,
                           .body = message_.body,
                           .awaited = std::string{head_.id},
                           .max_bytes = owner_.limits_.max_answer};
  if (session_) request.headers = mcp_headers_of(*session_);
  if (head_.meta_version) request.headers = mcp_headers_of(head_);
  id_.clear();
  if (session_ && !session_->id.empty() && head_.kind == Kind::request) {
    id_ = std::to_string(owner_.next_id_++);
    request.awaited = id_;
    request.body = with_part(message_.body, head_.id, id_);
  }
  post_ = std::make_unique<McpPost>(
      std::move(request), [this](Result<McpPost::Answer> answer) { on_answer(std::move(answer)); },
      [this](std::string_view message, const mcp::JsonRpc& head) { on_message(message, head); });
}

bool McpCaller::Running::open_after(int status) const {
  if (retried_ || head_.meta_version || head_.method == "initialize") return false;
  if (head_.kind != Kind::request && head_.kind != Kind::batch) return false;
  return status == 404 || (status == 400 && !session_);
}

void McpCaller::Running::on_answer(Result<McpPost::Answer> answer) {
  post_.reset();
  if (!answer) {
    finish(answer.error());
  } else if (open_after(answer->status)) {
    if (session_) owner_.sessions_.forget(key(), session_);
    refusal_ = std::move(*answer);
    open();
  } else if (head_.method == "initialize" && head_.kind == Kind::request) {
    on_initialize(std::move(*answer));
  } else {
    deliver(std::move(*answer));
  }
}

void McpCaller::Running::on_initialize(McpPost::Answer answer) {
  auto opened = McpHandshake::session_of(answer);
  if (!opened) {
    deliver(std::move(answer));
    return;
  }
  refusal_ = std::move(answer);
  handshake_ = std::make_unique<McpHandshake>(message_.service, message_.caller, [this](Result<McpSession> session) {
    if (session) owner_.remember(key(), std::move(*session));
    deliver(std::move(*refusal_));
  });
  handshake_->conclude(std::move(*opened));
}

void McpCaller::Running::deliver(McpPost::Answer answer) {
  const bool good = answer.status >= 200 && answer.status < 300;
  const auto head = answer.json || !good ? mcp::peek(answer.body) : std::nullopt;
  const std::string_view sent = id_.empty() ? head_.id : std::string_view{id_};
  if (!good) {
    if (head && head->kind == Kind::response && !sent.empty() && head->id == sent) {
      deliver_json(answer.body, head->id);
    } else {
      finish(Error{Errc::refused, "Service error: " + std::to_string(answer.status)});
    }
  } else if (answer.body.empty() || answer.status == 202 || answer.status == 204) {
    finish(Bytes{});
  } else if (!head) {
    finish(Error{Errc::malformed, "the service answers neither with JSON nor with an event stream"});
  } else {
    deliver_json(answer.body, head->id);
  }
}

void McpCaller::Running::deliver_json(ByteSpan answer, std::string_view id) {
  const bool renumbered = !id_.empty() && id == id_;
  finish(renumbered ? with_part(answer, id, head_.id) : to_bytes(answer));
}

void McpCaller::Running::on_message(std::string_view message, const mcp::JsonRpc& head) {
  if (head.kind == Kind::notification && event_) event_(message);
  if (head.kind != Kind::request) return;
  McpPost::Request reply{.service = message_.service, .caller = message_.caller, .body = to_bytes(reply_to(head))};
  if (session_) reply.headers = mcp_headers_of(*session_);
  owner_.run_errand(std::move(reply));
}

// The server knows the request by the id that we gave it.
void McpCaller::Running::pass_cancellation() {
  const auto wanted = mcp::json::find(head_.params, "requestId");
  for (const auto& [number, other] : owner_.running_) {
    if (!wanted || other == this || other->id_.empty() || other->session_ != session_) continue;
    if (other->head_.id != *wanted) continue;
    message_.body = with_part(message_.body, *wanted, other->id_);
    head_ = mcp::peek(message_.body).value_or(mcp::JsonRpc{});
    post(session_);
    return;
  }
  finish_later(Bytes{});
}

// Within a session a cut connection is no cancellation.
void McpCaller::Running::tell_cancelled() {
  if (!post_ || id_.empty()) return;
  post_.reset();
  owner_.run_errand({.service = message_.service,
                     .caller = message_.caller,
                     .headers = mcp_headers_of(*session_),
                     .body = to_bytes(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
                                      id_ + R"(,"reason":"the caller has gone"}})")});
}

void McpCaller::Running::finish_later(Result<Bytes> answer) {
  due_ = std::move(answer);
  timer_->arm(owner_.scheduler_.now());
}

void McpCaller::Running::finish(Result<Bytes> answer) {
  timer_->cancel();
  post_.reset();
  const auto handler = std::exchange(answer_, {});
  if (handler) handler(std::move(answer));
}

}  // namespace axl::services
