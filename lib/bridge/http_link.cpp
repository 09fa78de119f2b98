#include "bridge/http_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace axl::bridge {

namespace {

constexpr std::size_t kPipeline = 64;
constexpr std::size_t kMostBytes = 8 * 1024 * 1024;  // of bodies; more than any path needs, and they are not copied
constexpr std::size_t kLeastPerTick = 256 * 1024;    // of a body that is still coming: others may wait behind it
constexpr std::size_t kMaxAnswer = 1'024;            // of an answer's text, kept for the error

http::ClientLimits limits() {
  http::ClientLimits out;
  out.pipeline = kPipeline;
  out.waiting = kPipeline;
  return out;
}

Attempt from_answer(int status, std::string_view text) {
  const auto refused = [&](Errc code, std::string_view fallback) {
    return Attempt{.end = Attempt::End::refused, .error = Error{code, std::string{text.empty() ? fallback : text}}};
  };
  switch (status) {
    case 202:
    case 200: return {.end = Attempt::End::delivered, .delivery = Delivery::queued};
    case 400: return refused(Errc::invalid_argument, "the peer calls the message malformed");
    case 403: return refused(Errc::refused, "the peer accepts no messages from this node");
    case 404:
    case 405:
    case 501: return {.end = Attempt::End::not_there};
    case 409: return refused(Errc::already_exists, "the message id was used for another body");
    case 413: return refused(Errc::too_large, "the message is too large for the peer");
    case 429:
    case 503: return refused(Errc::busy, "the peer's receive queue is full");
    default: return refused(Errc::delivery_unknown, fmt::format("the peer answered with status {}", status));
  }
}

}  // namespace

class HttpLink::Post final : public http::ResponseEvents, private Arrival::Watcher {
 public:
  Post(HttpLink& link, std::unique_ptr<OutgoingMessage> message) : link_{link}, message_{std::move(message)} {}

  // False: the connection takes no more.
  [[nodiscard]] bool begin() {
    auto& request = link_.request_;
    request.headers.clear();
    request.headers.add("Host", link_.host_);
    request.headers.add("X-Message-Id", message_->options.id);
    if (!message_->options.topic.empty()) request.headers.add("X-Topic", message_->options.topic);
    const auto& body = message_->body;
    if (message_->whole()) return link_.client_.send(request, Buffer::view_of(body.owner(), body), *this).ok();
    const auto begun = link_.client_.begin(request, body.size(), *this);
    if (!begun) return false;
    request_id_ = *begun;
    message_->arrival->watch(this);
    pass_on();
    return true;
  }

  /// Called from time to time: true if what comes of the body has all but stopped since the last call.
  [[nodiscard]] bool stalled() {
    if (message_->whole()) return false;
    const auto before = std::exchange(passed_at_look_, passed_on_);
    return before && passed_on_ - *before < kLeastPerTick;
  }
  /// The body has stopped coming, or will not come: what is behind it does not wait.
  void withdraw(Error error) {
    link_.client_.cancel(request_id_);
    link_.ended(*this, {.end = Attempt::End::lost, .error = std::move(error)});
  }

  [[nodiscard]] const OutgoingMessage& message() const noexcept { return *message_; }
  [[nodiscard]] std::unique_ptr<OutgoingMessage> take_message() {
    if (message_->arrival) message_->arrival->watch(nullptr);
    return std::move(message_);
  }

 private:
  void on_more() override {
    if (message_->arrival->broken()) return withdraw(Error{Errc::closed, "the body was broken off"});
    pass_on();
  }

  void pass_on() {
    const auto& body = message_->body;
    const auto there = message_->arrival->there();
    link_.client_.write(request_id_,
                        Buffer::view_of(body.owner(), body.span().subspan(passed_on_, there - passed_on_)));
    passed_on_ = there;
    if (message_->whole()) link_.client_.finish(request_id_);
  }

  void on_response(const http::ResponseHead& head) override { status_ = head.status; }
  void on_body(Buffer piece) override {
    const auto room = kMaxAnswer - std::min(kMaxAnswer, text_.size());
    text_ += as_text(piece).substr(0, room);
  }
  void on_complete() override {
    std::string_view text = text_;
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    link_.ended(*this, from_answer(status_, text));
  }
  void on_failed(const Error& error, http::Delivery delivery) override {
    if (status_ != 0) {  // the answer began: its status is what counts
      link_.ended(*this, from_answer(status_, {}));
      return;
    }
    const bool safe = delivery == http::Delivery::not_sent || delivery == http::Delivery::incomplete;
    link_.ended(*this, {.end = safe ? Attempt::End::lost : Attempt::End::lost_maybe, .error = error});
  }

  HttpLink& link_;
  std::unique_ptr<OutgoingMessage> message_;
  http::RequestId request_id_{};               // of a body that is still coming
  std::size_t passed_on_ = 0;                  // of it
  std::optional<std::size_t> passed_at_look_;  // the same, when stalled() was last asked
  int status_ = 0;
  std::string text_;
};

HttpLink::HttpLink(std::unique_ptr<Stream> stream, const Address& peer, Executor& executor, Time now, LinkOwner& owner)
    : owner_{owner}, host_{fmt::format("[{}]", peer.to_string())}, client_{std::move(stream), limits(), executor, now} {
  client_.on_change([this] { owner_.on_link_change(); });
}

HttpLink::~HttpLink() = default;

bool HttpLink::has_room() const { return posts_.size() < kPipeline && bytes_ < kMostBytes; }

std::unique_ptr<OutgoingMessage> HttpLink::give(std::unique_ptr<OutgoingMessage> message) {
  auto& post = posts_.emplace_back(std::make_unique<Post>(*this, std::move(message)));
  bytes_ += post->message().body.size();
  if (post->begin()) return nullptr;
  auto back = post->take_message();
  bytes_ -= back->body.size();
  posts_.pop_back();
  return back;
}

void HttpLink::ended(Post& post, Attempt attempt) {
  const auto found = std::ranges::find_if(posts_, [&post](const auto& item) { return item.get() == &post; });
  if (found == posts_.end()) return;
  const auto self = std::move(*found);  // lives to the end of this function
  posts_.erase(found);
  bytes_ -= self->message().body.size();
  owner_.on_attempt(self->take_message(), std::move(attempt));
}

// The answers come in order, so a first one that is late makes all behind it late: the connection is given up.
void HttpLink::on_tick(Time now) {
  client_.on_tick(now);
  if (!posts_.empty() && posts_.front()->stalled()) {
    return posts_.front()->withdraw(Error{Errc::timed_out, "the body comes too slowly"});
  }
  if (posts_.empty() || posts_.front()->message().deadline > now || stuck_) return;
  stuck_ = true;
  client_.close();
}

}  // namespace axl::bridge
