#include "bridge/receiver.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "http/target.hpp"
#include "http/text.hpp"

namespace axl::bridge {

namespace {

constexpr std::uint64_t kMaxWaitSeconds = 60;
constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

// One GET: waiting for a message, or being given one.
class Receiver::Reader final : private http::ExchangeEvents {
 public:
  Reader(Receiver& owner, std::uint64_t id, http::Exchange exchange)
      : owner_{owner}, id_{id}, exchange_{std::move(exchange)} {
    exchange_.set_events(this);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (waiting_) owner_.inbox_.stop_waiting(*waiting_);
    if (taken_) owner_.inbox_.put_back(taken_->id);
  }

  void wait(Duration duration) {
    waiting_ = owner_.inbox_.wait_for_message([this] {
      waiting_.reset();
      begin();
    });
    timer_ = owner_.host_.make_timer([this] { nothing(); });
    timer_->arm(owner_.host_.now() + duration);
  }

  // Takes the oldest message and starts to write it.
  void begin() {
    timer_.reset();
    taken_ = owner_.inbox_.queue().take();
    if (!taken_) {
      nothing();
      return;
    }
    const auto headers = owner_.headers_of(*taken_->message);
    const auto& body = taken_->message->body;
    if (body.size() <= kPiece) {
      exchange_.respond(200, headers, Buffer::copy_of(body));
      return;
    }
    exchange_.start(200, headers, body.size());
    go_on();
  }

  // 204: nothing came.
  void nothing() {
    exchange_.set_events(nullptr);
    exchange_.respond(204, {}, {});
    owner_.readers_.erase(id_);
  }

  [[nodiscard]] bool waiting() const noexcept { return waiting_.has_value(); }

 private:
  void go_on() {
    const auto body = taken_->message->body.span();
    while (written_ < body.size()) {
      if (!exchange_.writable()) return;
      const auto piece = body.subspan(written_, std::min(kPiece, body.size() - written_));
      exchange_.write(Buffer::copy_of(piece));
      written_ += piece.size();
    }
    exchange_.finish();
  }

  void on_writable() override {
    if (taken_ && !exchange_.finished()) go_on();
  }

  // Whoever waits and sends no more has most likely gone; a message given to it could be lost.
  void on_client_ended() override {
    if (waiting_) nothing();
  }

  void on_sent() override {
    const auto self = owner_.readers_.extract(id_);
    owner_.inbox_.commit(std::exchange(taken_, std::nullopt)->id);
  }

  void on_aborted(const Error&) override { owner_.readers_.erase(id_); }

  Receiver& owner_;
  std::uint64_t id_;
  std::optional<router::ReaderId> waiting_;
  std::optional<router::ReceiveQueue::Taken> taken_;
  std::size_t written_ = 0;
  std::unique_ptr<Timer> timer_;
  http::Exchange exchange_;
};

Receiver::Receiver(Inbox& inbox, Host& host, bool legacy_peer_id)
    : inbox_{inbox}, host_{host}, legacy_peer_id_{legacy_peer_id} {}

Receiver::~Receiver() = default;

http::Headers Receiver::headers_of(const Message& message) const {
  http::Headers headers{{"Content-Type", "application/octet-stream"}};
  headers.add("X-From-Peer-Id", (legacy_peer_id_ ? message.address.partial_key() : message.sender).to_hex());
  headers.add("X-Axl-From-Address", message.address.to_string());
  if (!message.id.empty()) headers.add("X-Axl-Message-Id", message.id);
  if (!message.topic.empty()) headers.add("X-Axl-Topic", message.topic);
  return headers;
}

void Receiver::serve(http::Exchange exchange) {
  const auto* front = inbox_.queue().front();
  if (exchange.request().is("HEAD")) {
    if (front == nullptr) {
      exchange.respond(204, {}, {});
      return;
    }
    auto headers = headers_of(*front);
    headers.add("Content-Length", std::to_string(front->body.size()));
    exchange.respond(200, headers, {});
    return;
  }
  std::uint64_t wait = 0;
  if (const auto text = http::query_value(exchange.request().target.query(), "wait")) {
    const auto seconds = http::parse_decimal(*text);
    if (!seconds) {
      exchange.respond_error(400, "wait must be a number of seconds");
      return;
    }
    wait = std::min(*seconds, kMaxWaitSeconds);
  }
  if (front == nullptr && (wait == 0 || draining_ || exchange.client_ended())) {
    exchange.respond(204, {}, {});
    return;
  }
  const auto id = next_++;
  const auto& reader = readers_.emplace(id, std::make_unique<Reader>(*this, id, std::move(exchange))).first->second;
  if (front == nullptr) {
    reader->wait(std::chrono::seconds{wait});
  } else {
    reader->begin();
  }
}

void Receiver::drain() {
  draining_ = true;
  for (auto next = readers_.begin(); next != readers_.end();) {
    auto& reader = *(next++)->second;
    if (reader.waiting()) reader.nothing();
  }
}

}  // namespace axl::bridge
