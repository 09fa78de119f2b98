#include "services/mcp_post.hpp"

#include <utility>

#include "http/text.hpp"
#include "mcp/json.hpp"
#include "services/backend_request.hpp"

namespace axl::services {

namespace {

constexpr std::size_t kReserveAtMost = 1024UL * 1024;

std::string target_of(const Backend& backend) {
  std::string target = backend.path.empty() ? "/" : backend.path;
  if (!backend.query.empty()) target += "?" + backend.query;
  return target;
}

std::string_view media_type(const http::Headers& headers) {
  const auto value = headers.get("Content-Type").value_or(std::string_view{});
  return http::trim(value.substr(0, value.find(';')));
}

bool same_id(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto text = mcp::json::text_of(a);
  return text && text == mcp::json::text_of(b);
}

}  // namespace

McpPost::McpPost(Request request, DoneHandler done, MessageHandler message)
    : request_{std::move(request)}, done_{std::move(done)}, message_{std::move(message)} {
  acquire(false);
}

McpPost::~McpPost() = default;

void McpPost::acquire(bool fresh) {
  waiting_ = request_.service->backend.upstream->acquire({.key = request_.caller}, fresh,
                                                         [this](Result<std::unique_ptr<http::Lease>> lease) {
                                                           if (!lease) {
                                                             const auto error = lease.error();
                                                             finish(error);
                                                           } else {
                                                             send(std::move(*lease));
                                                           }
                                                         });
}

void McpPost::send(std::unique_ptr<http::Lease> lease) {
  lease_ = std::move(lease);
  auto headers = request_.headers;
  headers.set("Host", request_.service->backend.host);
  if (!request_.body.empty()) headers.set("Content-Type", "application/json");
  headers.set("Accept", "application/json, text/event-stream");
  headers.set("X-From-Peer-Id", shown_id(request_.caller, request_.service->backend));
  headers.set("X-Service", request_.service->info.name);
  const auto target = target_of(request_.service->backend);
  const auto sent = lease_->connection().send({.method = request_.method, .target = target, .headers = headers},
                                              Buffer::copy_of(request_.body), *this);
  if (sent) return;
  if (lease_->reused()) {
    acquire(true);
  } else {
    finish(Error{sent.error().code(), "the service takes no request"});
  }
}

void McpPost::on_response(const http::ResponseHead& head) {
  answer_ = {};
  responses_.clear();
  answer_.status = head.status;
  if (const auto session = head.headers.get("Mcp-Session-Id")) answer_.session_id = std::string{*session};
  const auto type = media_type(head.headers);
  answer_.json = http::equal_ignoring_case(type, "application/json");
  if (http::equal_ignoring_case(type, "text/event-stream")) events_.emplace(request_.max_bytes);
  if (head.content_length.value_or(0) > request_.max_bytes) {
    finish(Error{Errc::too_large, "the service's answer is too large"});
  } else if (head.content_length && *head.content_length <= kReserveAtMost) {
    answer_.body.reserve(static_cast<std::size_t>(*head.content_length));
  }
}

void McpPost::on_body(Buffer piece) {
  if (!events_) {
    if (piece.size() > request_.max_bytes - answer_.body.size()) {
      finish(Error{Errc::too_large, "the service's answer is too large"});
      return;
    }
    answer_.body.insert(answer_.body.end(), piece.span().begin(), piece.span().end());
    return;
  }
  if (!events_->feed(piece)) {
    finish(Error{Errc::too_large, "one event of the service's answer is too large"});
    return;
  }
  while (const auto event = events_->next()) {
    if (!event->data.empty() && on_message(event->data)) return;
  }
}

bool McpPost::on_message(std::string_view message) {
  const auto head = mcp::peek(as_bytes(message));
  if (!head) return false;
  if (head->kind != mcp::JsonRpc::Kind::response) {
    if (message_) message_(message, *head);
    return false;
  }
  if (!request_.awaited.empty()) {
    if (!same_id(head->id, request_.awaited)) return false;
    answer_.body = to_bytes(message);
    answer_.json = true;
    finish(std::move(answer_));
    return true;
  }
  if (responses_.size() + message.size() >= request_.max_bytes) {
    finish(Error{Errc::too_large, "the service's answer is too large"});
    return true;
  }
  if (!responses_.empty()) responses_ += ',';
  responses_ += message;
  return false;
}

void McpPost::on_complete() {
  if (events_ && !request_.awaited.empty()) {
    finish(Error{Errc::closed, "the service's stream ended without an answer"});
    return;
  }
  if (!responses_.empty()) {
    answer_.body = to_bytes("[" + responses_ + "]");
    answer_.json = true;
  }
  finish(std::move(answer_));
}

void McpPost::on_failed(const Error& error, http::Delivery delivery) {
  const bool untouched = delivery == http::Delivery::not_sent || delivery == http::Delivery::incomplete;
  if (untouched && lease_->reused()) {
    acquire(true);  // the server has closed a connection that was kept
  } else {
    finish(Error{error});
  }
}

void McpPost::finish(Result<Answer> answer) {
  const auto done = std::exchange(done_, {});
  if (done) done(std::move(answer));
}

}  // namespace axl::services
