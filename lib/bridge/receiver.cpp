#include "bridge/receiver.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "bridge/recv_stream.hpp"
#include "http/target.hpp"

namespace axl::bridge {

// One GET: waiting for a message, or being given one.
class Receiver::Reader final : private http::ExchangeEvents {
 public:
  Reader(Receiver& owner, std::uint64_t id, http::Exchange exchange, RecvRequest request)
      : owner_{owner}, id_{id}, request_{std::move(request)}, exchange_{std::move(exchange)} {
    exchange_.set_events(this);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (waiting_) owner_.inbox_.stop_waiting(*waiting_);
    stop_clock();
    if (taken_) owner_.inbox_.put_back(*taken_);
  }

  void wait() {
    waiting_ = owner_.inbox_.wait_for_message(request_.wanted, [this] {
      waiting_.reset();
      begin();
    });
    deadline_ = owner_.host_.now() + request_.wait;
    owner_.deadlines_.emplace(*deadline_, id_);
    owner_.arm();
  }

  // Takes the oldest message and starts to write it.
  void begin() {
    stop_clock();
    const auto taken = owner_.inbox_.queue().take(request_.wanted);
    if (!taken) {
      nothing();
      return;
    }
    if (request_.ack) owner_.inbox_.queue().allow_confirm(taken->id);
    taken_ = taken->id;
    auto& headers = owner_.headers_.of(*taken->message);
    if (request_.ack) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(request_.lease).count();
      headers.add("X-Axl-Lease", std::to_string(seconds));
    }
    const auto& body = taken->message->body;
    exchange_.respond(200, headers, Buffer::view_of(body.owner(), body));
  }

  // 204: nothing came.
  void nothing() {
    exchange_.set_events(nullptr);
    exchange_.respond(204, {}, {});
    owner_.readers_.erase(id_);
  }

  [[nodiscard]] bool waiting() const noexcept { return waiting_.has_value(); }

 private:
  void stop_clock() {
    if (deadline_) owner_.deadlines_.erase({*std::exchange(deadline_, std::nullopt), id_});
  }

  // Whoever waits and sends no more has most likely gone; a message given to it could be lost.
  void on_client_ended() override {
    if (waiting_) nothing();
  }

  void on_sent() override {
    const auto self = owner_.readers_.extract(id_);
    const auto entry = *std::exchange(taken_, std::nullopt);
    if (request_.ack) {
      owner_.inbox_.lease(entry, request_.lease);
    } else {
      owner_.inbox_.commit(entry);
    }
  }

  void on_aborted(const Error&) override { owner_.readers_.erase(id_); }

  Receiver& owner_;
  std::uint64_t id_;
  std::optional<router::ReaderId> waiting_;
  std::optional<router::EntryId> taken_;
  RecvRequest request_;
  std::optional<Time> deadline_;  // while waiting
  http::Exchange exchange_;
};

Receiver::Receiver(Inbox& inbox, Host& host, bool legacy_peer_id)
    : inbox_{inbox},
      host_{host},
      legacy_peer_id_{legacy_peer_id},
      headers_{legacy_peer_id},
      timer_{host.make_timer([this] { on_timer(); })} {}

Receiver::~Receiver() = default;

void Receiver::serve(http::Exchange exchange) {
  const auto& head = exchange.request();
  if (head.is("DELETE")) {
    // The same as DELETE /recv/{id}, for ids that clients change when they are part of a path.
    if (const auto id = http::query_value(head.target.query(), "id")) return confirm(std::move(exchange), *id);
    exchange.respond_error(405, "Method not allowed", {{"Allow", "GET, HEAD"}});
    return;
  }
  const auto request = RecvRequest::parse(head.target.query());
  if (!request) {
    exchange.respond_error(400, request.error().text());
    return;
  }
  if (head.is("HEAD")) return serve_head(std::move(exchange), *request);
  const bool nothing = inbox_.queue().front(request->wanted) == nullptr;
  if (nothing && (request->wait == Duration{} || draining_ || exchange.client_ended())) {
    exchange.respond(204, {}, {});
    return;
  }
  const auto id = next_++;
  auto made = std::make_unique<Reader>(*this, id, std::move(exchange), *request);
  auto& reader = *readers_.emplace(id, std::move(made)).first->second;
  if (nothing) {
    reader.wait();
  } else {
    reader.begin();
  }
}

void Receiver::arm() {
  if (deadlines_.empty()) return;
  const auto first = deadlines_.begin()->first;
  if (armed_ && *armed_ <= first) return;  // it looks again then
  armed_ = first;
  timer_->arm(first);
}

void Receiver::on_timer() {
  armed_.reset();
  while (!deadlines_.empty() && deadlines_.begin()->first <= host_.now()) {
    readers_.at(deadlines_.begin()->second)->nothing();
  }
  arm();
}

void Receiver::serve_head(http::Exchange exchange, const RecvRequest& request) {
  const auto* front = inbox_.queue().front(request.wanted);
  if (front == nullptr) {
    exchange.respond(204, {}, {});
    return;
  }
  auto& headers = headers_.of(*front);
  headers.add("Content-Length", std::to_string(front->body.size()));
  exchange.respond(200, headers, {});
}

void Receiver::serve_stream(http::Exchange exchange) {
  if (exchange.request().is("DELETE")) return confirm(std::move(exchange), "stream");
  auto request = RecvRequest::parse(exchange.request().target.query());
  if (!request) {
    exchange.respond_error(400, request.error().text());
    return;
  }
  if (draining_) {
    exchange.respond(204, {}, {});  // tells an EventSource not to come again
    return;
  }
  const auto id = next_++;
  auto made = std::make_unique<RecvStream>(std::move(exchange), *std::move(request), inbox_, host_, legacy_peer_id_,
                                           [this, id] { streams_.erase(id); });
  streams_.emplace(id, std::move(made)).first->second->start();
}

void Receiver::serve_confirm(http::Exchange exchange) {
  constexpr std::string_view kPrefix = "/recv/";
  const auto id = http::percent_decode(exchange.request().target.path().substr(kPrefix.size()));
  if (!id) {
    exchange.respond_error(400, "The message id is not percent-encoded");
    return;
  }
  confirm(std::move(exchange), *id);
}

void Receiver::confirm(http::Exchange exchange, std::string_view id) {
  const auto request = RecvRequest::parse(exchange.request().target.query());
  if (!request) {
    exchange.respond_error(400, request.error().text());
    return;
  }
  switch (inbox_.confirm(id, request->wanted.sender)) {
    case router::ReceiveQueue::Confirmed::yes: exchange.respond(204, {}, {}); break;
    case router::ReceiveQueue::Confirmed::unknown: exchange.respond_error(404, "No leased message has this id"); break;
    case router::ReceiveQueue::Confirmed::ambiguous:
      exchange.respond_error(409, "Messages of several senders have this id: add ?from= with the sender's id");
      break;
  }
}

void Receiver::drain() {
  draining_ = true;
  for (auto next = readers_.begin(); next != readers_.end();) {
    auto& reader = *(next++)->second;
    if (reader.waiting()) reader.nothing();
  }
  for (auto next = streams_.begin(); next != streams_.end();) (next++)->second->finish();
}

}  // namespace axl::bridge
