#include "http/client_connection.hpp"

#include <algorithm>
#include <utility>

#include "core/expect.hpp"
#include "http/client_pending.hpp"
#include "http/input.hpp"

namespace axl::http {

namespace {
constexpr int kMaxInformational = 16;
}

ClientConnection::ClientConnection(std::unique_ptr<Stream> stream, ClientLimits limits, Executor& executor, Time now)
    : stream_{std::move(stream)},
      limits_{limits},
      executor_{executor},
      parser_{Parser::Kind::responses, limits.head},
      now_{now},
      idle_since_{now},
      last_progress_{now} {
  stream_->set_handler(this);
}

ClientConnection::~ClientConnection() {
  *alive_ = false;
  if (destroyed_ != nullptr) *destroyed_ = true;
  stream_->set_handler(nullptr);
}

void ClientConnection::on_change(ChangeHandler handler) {
  change_ = std::make_shared<ChangeHandler>(std::move(handler));
}

void ClientConnection::on_data(Buffer data) {
  if (phase_ != Phase::open) return;
  last_progress_ = now_;
  add_input(input_, std::move(data));
  process();
}

void ClientConnection::on_end() {
  ended_ = true;
  process();
}

void ClientConnection::on_writable() { process(); }
void ClientConnection::on_drained() { process(); }

void ClientConnection::on_closed(const Error* error) {
  ended_ = true;
  reset_ = error != nullptr && error->is(Errc::closed);
  const bool more = error == nullptr && phase_ == Phase::open && given_ > 0 && !input_.empty();
  if (phase_ != Phase::gone && !more) {  // what has come in whole may still hold answers
    phase_ = Phase::gone;
    if (!error_) error_ = error != nullptr ? *error : Error{Errc::closed, "the peer closed the connection"};
    changed_ = true;
  }
  process();
}

void ClientConnection::on_tick(Time now) {
  now_ = now;
  const auto unsent_now = stream_->unsent();
  const bool waiting = given_ > 0 && phase_ == Phase::open && reading_;
  if (!waiting || unsent_now != unsent_seen_) last_progress_ = now;
  unsent_seen_ = unsent_now;
  if (limits_.silence_timeout && now - last_progress_ >= *limits_.silence_timeout) {
    fail(Error{Errc::timed_out, "no answer in time"});
  }
  process();
}

void ClientConnection::close() {
  fail(Error{Errc::closed, "the connection was closed"});
  schedule();
}

// No more answers. What the stream has is still sent.
void ClientConnection::fail(Error error) {
  if (phase_ != Phase::open) return;
  phase_ = Phase::closing;
  error_ = std::move(error);
  input_ = Buffer{};
  changed_ = true;
  // Whoever hears that a request is incomplete relies on it.
  if (given_ > 0 && !has_left(*requests_[given_ - 1])) {
    stream_->abort();
  } else {
    stream_->close();
  }
}

void ClientConnection::schedule() {
  if (processing_ || scheduled_) return;
  scheduled_ = true;
  executor_.post([this, alive = alive_] {
    if (*alive) process();
  });
}

void ClientConnection::process() {
  scheduled_ = false;
  if (processing_) return;
  processing_ = true;
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (bool more = true; more;) {
    more = step();
    if (destroyed) return;
  }
  destroyed_ = nullptr;
  processing_ = false;
}

bool ClientConnection::step() {
  if (phase_ != Phase::open) {
    if (!requests_.empty()) return fail_front();
  } else {
    give_to_stream();
    if (given_ > 0 && requests_.front()->answer_ended) return complete_front();
    if ((!input_.empty() || ended_) && step_answer()) return true;
    if (tell_writable()) return true;
    if (update_reading()) return true;
  }
  if (!std::exchange(changed_, false)) return false;
  if (const auto handler = change_; handler && *handler) (*handler)();
  return true;
}

// Reads on in the answers. True if something has happened.
bool ClientConnection::step_answer() {
  if (given_ == 0) {
    const bool unasked = !input_.empty();
    fail(unasked ? Error{Errc::malformed, "an answer without a request"}
                 : Error{Errc::closed, "the peer closed the connection"});
    return true;
  }
  auto& front = *requests_.front();
  if (front.paused) return false;
  if (!parser_.in_head() && !front.head_seen) parser_.expect_no_body(front.is_head);
  const auto read = input_.empty() ? parser_.finish() : parser_.read(input_.mutable_span());
  if (read.error != nullptr) {
    const auto& detail = read.error->detail;
    fail(Error{Errc::malformed, "not an HTTP answer" + (detail.empty() ? std::string{} : ": " + detail)});
    return true;
  }
  if (ended_ && input_.empty() && !read.end) {
    fail(Error{Errc::closed, "the peer closed the connection"});
    return true;
  }
  return take_answer(read);
}

bool ClientConnection::take_answer(const Parser::Step& read) {
  auto& front = *requests_.front();
  Buffer piece;
  if (!read.body.empty() && front.collector) {
    const bool fits = front.collector->append(read.body) == BodyCollector::Verdict::ok;
    input_.drop_front(read.consumed);
    if (!fits) {
      front.answered = true;
      fail(Error{Errc::too_large, "the answer is larger than allowed"});
      return true;
    }
  } else if (!read.body.empty() && front.events != nullptr) {
    piece = take_body(input_, read);
  } else {
    input_.drop_front(read.consumed);
  }

  if (read.head && parser_.response().status < 200) {
    if (++informational_ > kMaxInformational) fail(Error{Errc::malformed, "too many informational answers"});
    if (!read.end) static_cast<void>(parser_.read({}));
    return true;
  }
  front.answer_ended = read.end;
  if (read.head) {
    informational_ = 0;
    front.head_seen = true;
    const auto& head = parser_.response();
    if (!head.keep_alive) last_answer_ = changed_ = true;
    if (!read.end && head.content_length == 0) front.answer_ended = parser_.read({}).end;
    if (front.handler) {
      front.response.head = head;
      front.collector.emplace(front.limits, head.content_length);
      if (front.collector->admit() != BodyCollector::Verdict::ok && !front.is_head) {
        front.answered = true;
        fail(Error{Errc::too_large, "the answer is larger than allowed"});
      }
    } else if (front.events != nullptr) {
      front.events->on_response(head);
    }
    return true;
  }
  if (!piece.empty()) {
    front.events->on_body(std::move(piece));
    return true;
  }
  return front.answer_ended || !input_.empty() || ended_;
}

bool ClientConnection::complete_front() {
  const auto front = std::move(requests_.front());
  requests_.pop_front();
  --given_;
  if (requests_.empty()) {
    idle_since_ = now_;
    changed_ = true;
  }
  if (last_answer_ || !front->complete) {
    last_answer_ = true;  // if not by the peer's word: the rest of this request will never come
    fail(Error{Errc::closed, "the peer ends the connection after its answer"});
  }
  if (front->handler) {
    front->response.body = front->collector ? front->collector->take() : Buffer{};
    front->handler(Result<Response>{std::move(front->response)}, Delivery::answered);
  } else if (front->events != nullptr) {
    front->events->on_complete();
  }
  return true;
}

// Whether the end of a request that was given to the stream may have left this node.
bool ClientConnection::has_left(const Pending& request) const {
  return request.complete && stream_->begun().value_or(request.ends) >= request.ends;
}

bool ClientConnection::fail_front() {
  const auto front = std::move(requests_.front());
  requests_.pop_front();
  auto delivery = Delivery::unknown;
  if (front->answered) {
    delivery = Delivery::answered;
  } else if (given_ == 0 || (last_answer_ && !front->head_seen)) {
    delivery = Delivery::not_sent;
  } else if (reset_ && !front->head_seen && stream_->acknowledged().value_or(written_) <= front->begins) {
    // Not a byte of it was acknowledged before a peer that knows no such connection (any more) reset it.
    delivery = Delivery::not_sent;
  } else if (!has_left(*front)) {
    delivery = Delivery::incomplete;
  }
  if (given_ > 0) --given_;
  const auto error = error_.value_or(Error{Errc::closed, "the connection was closed"});
  if (front->handler) {
    front->handler(Result<Response>{error}, delivery);
  } else if (front->events != nullptr) {
    front->events->on_failed(error, delivery);
  }
  return true;
}

bool ClientConnection::update_reading() {
  const bool wanted = given_ == 0 || !requests_.front()->paused;
  if (wanted == reading_) return false;
  reading_ = wanted;
  const auto had = input_.size();
  if (wanted) {
    last_progress_ = now_;
    stream_->resume_reading();
  } else {
    stream_->pause_reading();
    input_.shed();
  }
  return wanted && (input_.size() != had || !input_.empty());
}

}  // namespace axl::http
