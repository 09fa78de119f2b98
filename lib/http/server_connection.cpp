#include "http/server_connection.hpp"

#include <algorithm>
#include <utility>

#include "core/expect.hpp"
#include "http/exchange_state.hpp"
#include "http/input.hpp"

namespace axl::http {

namespace {
constexpr std::size_t kLookAhead = 16 * 1024;  // of pipelined requests that are not read yet
}

ServerConnection::ServerConnection(std::uint64_t id, std::unique_ptr<Stream> stream, Client client,
                                   const ConnectionLimits& limits, ConnectionOwner& owner, Time now)
    : id_{id},
      stream_{std::move(stream)},
      client_{client},
      limits_{limits},
      owner_{owner},
      parser_{Parser::Kind::requests, limits.head},
      now_{now},
      last_read_{now},
      head_started_{now},
      last_sent_{now} {}

ServerConnection::~ServerConnection() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  if (exchange_) exchange_->connection = nullptr;
  if (broken_) broken_->connection = nullptr;
  for (const auto& state : awaiting_) state->connection = nullptr;
  stream_->set_handler(nullptr);
}

void ServerConnection::open() { stream_->set_handler(this); }

bool ServerConnection::idle() const noexcept {
  return phase_ == Phase::open && !exchange_ && input_.empty() && !parser_.in_head() && unsent() == 0;
}

void ServerConnection::on_data(Buffer data) {
  last_read_ = now_;
  if (phase_ == Phase::lingering) discarded_ += data.size();
  if (phase_ == Phase::open) {
    if (!exchange_ && input_.empty() && !parser_.in_head()) head_started_ = now_;
    add_input(input_, std::move(data));
  }
  run();
}

MutableByteSpan ServerConnection::place() {
  place_ = {};
  if (phase_ != Phase::open || processing_ || !exchange_ || !input_.empty()) return {};
  const auto& state = *exchange_;
  const auto length = state.request.content_length;
  if (!length || state.body_complete || state.framing == ExchangeState::BodyFraming::raw) return {};
  if (!state.reading || state.paused || state.events == nullptr || state.answer == ExchangeState::Answer::finished)
    return {};
  const auto left = *length - state.body_received;
  place_ = state.events->body_place();
  if (place_.size() > left) place_ = place_.first(static_cast<std::size_t>(left));
  return place_;
}

void ServerConnection::on_placed(std::size_t size) {
  last_read_ = now_;
  placed_ = std::exchange(place_, {}).first(size);
  run();
}

void ServerConnection::on_end() {
  ended_ = true;
  run();
}

void ServerConnection::on_writable() {
  note_sent();
  run();
}

void ServerConnection::on_drained() {
  note_sent();
  run();
}

// A stream that fails may have nothing unsent any more, and says so before it says why. So what has left counts only
// when this turn has passed without on_closed().
void ServerConnection::note_sent() {
  sent_soon_ = written_ - unsent();
  if (!awaiting_.empty() || exchange_) schedule();
}

void ServerConnection::on_closed(const Error* error) {
  if (phase_ != Phase::gone) {
    phase_ = Phase::gone;
    if (error == nullptr) sent_ = written_;
    error_ = error != nullptr ? *error : Error{Errc::closed, "the client closed the connection"};
  }
  run();
}

void ServerConnection::on_tick(Time now) {
  now_ = now;
  const auto sent = written_ - unsent();
  if (sent != sent_seen_ || unsent() == 0) {
    sent_seen_ = sent;
    last_sent_ = now;
  }
  check_timeouts();
  process();
}

void ServerConnection::check_timeouts() {
  const auto passed = [&](Time since, Duration limit) { return now_ - since >= limit; };
  if (phase_ == Phase::gone) return;
  if (unsent() > 0 && passed(last_sent_, limits_.write_timeout)) {
    give_up(Error{Errc::timed_out, "the client takes no bytes"});
  } else if (phase_ == Phase::lingering) {
    const bool silent = unsent() == 0 && passed(last_read_, limits_.linger_timeout);
    if (silent || passed(lingering_since_, limits_.linger_total)) close();
  } else if (phase_ == Phase::closing) {
    const bool stuck = unsent() == 0 || passed(last_sent_, limits_.linger_timeout);
    if (stuck && passed(lingering_since_, limits_.linger_total)) {
      give_up(Error{Errc::timed_out, "the connection does not close"});
    }
  } else if (!reading_) {
    last_read_ = now_;  // we are the ones who wait
  } else if (!exchange_ && (parser_.in_head() || !input_.empty())) {
    if (passed(head_started_, limits_.header_timeout)) refuse({408, {}});
  } else if (!exchange_) {
    if (passed(last_read_, limits_.idle_timeout)) close();
  } else if (exchange_->framing == ExchangeState::BodyFraming::raw) {
    // Its silence is for its handler to judge.
  } else if (!exchange_->body_complete && passed(last_read_, limits_.body_timeout)) {
    break_body(408, "timed out");
  }
}

void ServerConnection::process() {
  scheduled_ = false;
  if (phase_ != Phase::gone) sent_ = sent_soon_;
  run();
}

void ServerConnection::run() {
  if (processing_) return;  // the loop below will see what has changed
  processing_ = true;
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (bool more = true; more;) {
    more = step();
    if (destroyed) return;
    if (!more) more = flush();
    if (!more) more = notify_sent();
    if (destroyed) return;
    if (!more) more = update_reading();
  }
  destroyed_ = nullptr;
  processing_ = false;
  if (phase_ == Phase::gone) owner_.on_gone(*this);
}

void ServerConnection::schedule() {
  if (processing_ || scheduled_) return;
  scheduled_ = true;
  owner_.on_ready(*this);
}

bool ServerConnection::step() {
  if (broken_) {
    const auto state = std::exchange(broken_, nullptr);
    if (auto* events = std::exchange(state->events, nullptr)) events->on_aborted(*error_);
    return true;
  }
  switch (phase_) {
    case Phase::closing:
    case Phase::gone: return step_gone();
    case Phase::lingering:
      if (ended_ || discarded_ > limits_.discard_bytes) {
        close();
        return true;
      }
      return false;
    case Phase::open: break;
  }
  if (!exchange_) return step_head();
  if (step_events()) return true;
  if (!exchange_->body_complete) return step_body();
  if (exchange_->answer != ExchangeState::Answer::finished) return false;
  end_exchange();
  return true;
}

bool ServerConnection::step_head() {
  if (draining_ && !parser_.in_head() && input_.empty()) {
    close();
    return true;
  }
  if (!has_room()) return false;
  if (input_.empty()) {
    if (!ended_) return false;
    close();
    return true;
  }
  const auto read = parser_.read(input_.mutable_span());
  input_.drop_front(read.consumed);
  if (read.error != nullptr) {
    refuse(*read.error);
    return true;
  }
  if (!read.head) return !input_.empty();
  begin_exchange();
  return true;
}

void ServerConnection::begin_exchange() {
  exchange_ = spare_ && spare_.use_count() == 1 ? std::move(spare_) : std::make_shared<ExchangeState>();
  spare_.reset();
  auto& state = *exchange_;
  state.renew();
  std::swap(state.request, parser_.request());
  state.connection = this;
  state.client = client_;
  if (!state.request.has_body()) state.body_complete = parser_.read({}).end;
  keep_alive_ = true;
  discarded_ = 0;
  last_read_ = now_;
  owner_.on_request(*this, Exchange{exchange_});
}

void ServerConnection::end_exchange() {
  retire_exchange();
  last_read_ = head_started_ = now_;
  if (!keep_alive_ || draining_) linger();
}

// The answer is finished; if its handler wants to hear when it has left, it waits for that.
void ServerConnection::retire_exchange() {
  auto state = std::exchange(exchange_, nullptr);
  if (state->events != nullptr || state->sent_handler) {
    awaiting_.push_back(std::move(state));
    return;
  }
  state->connection = nullptr;
  if (state.use_count() == 1) state->renew();
  spare_ = std::move(state);
}

bool ServerConnection::step_events() {
  auto& state = *exchange_;
  if (ended_ && !state.client_ended) {
    state.client_ended = true;
    if (state.events != nullptr) state.events->on_client_ended();
    return true;
  }
  if (state.answer == ExchangeState::Answer::finished) return false;
  if (state.body_complete && state.reading && !state.paused && !state.body_end_told) {
    state.body_end_told = true;
    if (state.collector) {
      hand_over_body();
    } else if (state.events != nullptr) {
      state.events->on_body_end();
    }
    return true;
  }
  if (state.wants_writable && has_room()) {
    state.wants_writable = false;
    if (state.events != nullptr) state.events->on_writable();
    return true;
  }
  if (state.watched && *state.watched <= sent_) {
    state.watched.reset();
    if (state.events != nullptr) state.events->on_part_sent();
    return true;
  }
  return false;
}

bool ServerConnection::step_body() {
  auto& state = *exchange_;
  const bool unwanted = state.answer == ExchangeState::Answer::finished;
  if (unwanted && !keep_alive_) {  // lingering throws the rest away
    end_exchange();
    return true;
  }
  if (!unwanted && (!state.reading || state.paused)) return false;
  if (state.framing == ExchangeState::BodyFraming::raw) return step_raw();
  if (!placed_.empty()) return step_placed_body();
  if (input_.empty()) {
    if (!ended_) return false;
    break_body(400, "unexpected EOF");
    return true;
  }
  const auto read = parser_.read(input_.mutable_span());
  if (read.error != nullptr) {
    input_.drop_front(read.consumed);
    break_body(400, read.error->detail.empty() ? "malformed chunked encoding" : read.error->detail);
    return true;
  }
  state.body_complete = read.end;
  state.body_received += read.body.size();
  if (unwanted) {
    discarded_ += read.consumed;
    input_.drop_front(read.consumed);
    if (discarded_ > limits_.discard_bytes) keep_alive_ = false;
    return true;
  }
  if (state.collector && !read.body.empty()) {
    const auto verdict = state.collector->append(read.body);
    input_.drop_front(read.consumed);
    if (verdict != BodyCollector::Verdict::ok) refuse_body(state, verdict);
    return true;
  }
  if (read.body.empty() || state.events == nullptr) {
    input_.drop_front(read.consumed);
    return true;
  }
  state.events->on_body(take_body(input_, read));
  return true;
}

// The parser sees the bytes of a body with a length, and leaves them as and where they are.
bool ServerConnection::step_placed_body() {
  auto& state = *exchange_;
  const auto placed = std::exchange(placed_, {});
  const auto read = parser_.read(placed);
  AXL_EXPECT_OR(read.error == nullptr && read.body.data() == placed.data() && read.body.size() == placed.size(),
                break_body(400, "malformed body");
                return true);
  state.body_complete = read.end;
  state.body_received += placed.size();
  state.events->on_body_placed(placed.size());
  return true;
}

std::optional<Buffer> ServerConnection::take_whole_body(ExchangeState& state, std::size_t most) {
  const auto length = state.request.content_length;
  if (state.request.expects_continue) return std::nullopt;  // is told to go on first, as the reference does
  if (phase_ != Phase::open || !length || *length > std::min(most, input_.size())) return std::nullopt;
  Buffer body;
  if (*length > 0) {
    const auto read = parser_.read(input_.mutable_span());
    AXL_EXPECT_OR(read.end && read.body.size() == *length, return std::nullopt);
    body = take_body(input_, read);
  }
  state.body_received = *length;
  state.reading = state.body_complete = state.body_end_told = true;
  return body;
}

bool ServerConnection::step_raw() {
  auto& state = *exchange_;
  if (input_.empty()) {
    state.body_complete = ended_;
    return ended_;
  }
  auto piece = std::exchange(input_, Buffer{});
  if (state.events != nullptr) state.events->on_body(std::move(piece));
  return true;
}

void ServerConnection::hand_over_body() {
  auto& state = *exchange_;
  auto handler = std::exchange(state.body_handler, nullptr);
  auto body = state.collector->take();
  state.collector.reset();
  handler(Exchange{exchange_}, std::move(body));
}

bool ServerConnection::step_gone() {
  if (!exchange_) return false;
  if (exchange_->answer == ExchangeState::Answer::finished) {
    retire_exchange();
    return true;
  }
  broken_ = std::exchange(exchange_, nullptr);
  broken_->connection = nullptr;
  broken_->collector.reset();
  broken_->body_handler = nullptr;
  if (!error_) error_ = Error{Errc::closed, "the connection was closed"};
  return true;
}

// Tells one handler that its answer has left, or, when the stream is gone, that it has not.
bool ServerConnection::notify_sent() {
  if (awaiting_.empty()) return false;
  auto& front = awaiting_.front();
  const bool sent = front->end_offset <= sent_;
  if (!sent && phase_ != Phase::gone) return false;
  front->connection = nullptr;
  if (const auto handler = std::exchange(front->sent_handler, nullptr)) {
    handler(sent);
    return true;
  }
  spare_ = std::move(front);
  const auto& state = spare_;
  awaiting_.pop_front();
  auto* events = std::exchange(state->events, nullptr);
  if (events != nullptr && sent) {
    events->on_sent();
  } else if (events != nullptr) {
    events->on_aborted(error_.value_or(Error{Errc::closed, "the connection was closed"}));
  }
  return true;
}

bool ServerConnection::update_reading() {
  bool wanted = phase_ == Phase::lingering;
  if (phase_ == Phase::open) {
    if (!exchange_) {
      wanted = has_room();
    } else if (!exchange_->body_complete) {
      wanted = exchange_->answer == ExchangeState::Answer::finished || (exchange_->reading && !exchange_->paused);
    } else {
      wanted = input_.size() < kLookAhead;  // to hear of the client's end while the answer is under way
    }
  }
  if (phase_ == Phase::gone || wanted == reading_) return false;
  reading_ = wanted;
  const auto had = input_.size();
  if (wanted) {
    last_read_ = head_started_ = now_;
    stream_->resume_reading();
  } else {
    stream_->pause_reading();
    input_.shed();
  }
  return input_.size() != had;
}

void ServerConnection::linger() {
  if (phase_ != Phase::open) return;
  phase_ = Phase::lingering;
  lingering_since_ = last_read_ = now_;
  discarded_ = input_.size();
  input_ = Buffer{};
  flush();
  stream_->shutdown_send();
}

void ServerConnection::close() {
  if (phase_ == Phase::closing || phase_ == Phase::gone) return;
  phase_ = Phase::closing;
  lingering_since_ = now_;
  input_ = Buffer{};
  flush();
  stream_->close();
}

void ServerConnection::give_up(Error error) {
  if (phase_ == Phase::gone) return;
  phase_ = Phase::gone;
  error_ = std::move(error);
  stream_->set_handler(nullptr);
  stream_->abort();
}

void ServerConnection::drain() {
  draining_ = true;
  process();
}

}  // namespace axl::http
