#include "bridge/frame_connection.hpp"

#include <axl/a2a.hpp>
#include <axl/mcp.hpp>
#include <utility>

namespace axl::bridge {

std::string FrameConnection::short_name() const { return peer_.to_hex().substr(0, 16); }

template <class... Args>
void FrameConnection::log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
  server_.logger_(level, "bridge", format, std::forward<Args>(args)...);
}

FrameConnection::FrameConnection(FrameServer& server, std::uint64_t id, std::unique_ptr<tcpip::Connection> connection)
    : server_{server},
      id_{id},
      peer_{connection->peer()},
      connection_{std::move(connection)},
      reader_{server.config_.max_message_size},
      timer_{server.host_.make_timer([this] { time_out(); })},
      last_activity_{server.host_.now()} {
  connection_->set_handler(this);
  log(LogLevel::info, "Connection from peer {}...", short_name());
  arm();
}

FrameConnection::~FrameConnection() {
  if (writer_) server_.inbox_.stop_waiting(*writer_);
  connection_->set_handler(nullptr);
}

bool FrameConnection::idle() const { return between_frames() && connection_->unsent() == 0; }

bool FrameConnection::between_frames() const {
  return input_.empty() && !pending_ && !call_ && !reader_.inside_length() && !reader_.inside_body();
}

void FrameConnection::close() {
  if (std::exchange(closing_, true)) return;
  timer_->cancel();
  server_.turn_passed(peer_);
  ticket_.release();
  input_ = {};
  connection_->close();
}

void FrameConnection::drain() {
  draining_ = true;
  if (idle()) close();
}

void FrameConnection::on_data(Buffer data) {
  if (closing_) return;
  if (input_.empty()) {
    input_ = std::move(data);
  } else {
    input_.append(data);  // came before the pause took hold
  }
  last_activity_ = server_.host_.now();
  if (withheld_ == Withheld::no) go_on();
}

// Reads frames until the input is used up, or something makes us wait.
void FrameConnection::go_on() {
  while (!closing_ && !input_.empty()) {
    if (connection_->unsent() > connection_->high_mark()) return withhold(Withheld::answers);
    if (const auto wanted = reader_.body_bytes_wanted(input_.size()); wanted > 0) {
      if (!ticket_.valid()) {
        ticket_ = server_.gate_.begin(peer_, [this] {
          if (withheld_ != Withheld::budget) return;
          let_go();
          go_on();
        });
      }
      if (!ticket_.grow(wanted)) return withhold(Withheld::budget);
    }
    auto body = reader_.read(input_);
    if (!body) {
      log(LogLevel::warning, "Message size {} from peer {} exceeds maximum {}, closing connection", reader_.body_size(),
          short_name(), server_.config_.max_message_size);
      return close();
    }
    if (reader_.inside_body() && !in_body_) {
      in_body_ = true;
      body_deadline_ = server_.host_.now() + server_.config_.conn_read_timeout;
    }
    if (*body) {
      in_body_ = false;
      if (!take(std::move(**body))) return withhold(waits_for());
    }
  }
  if (closing_) return;
  if (ended_) return end_of_input("the peer ended in the middle of it");
  if (draining_ && between_frames()) return close();
  arm();
}

bool FrameConnection::first_expected() const {
  if (first_done_ || closing_) return false;
  return pending_ || last_activity_ + server_.limits_.order_patience > server_.host_.now();
}

void FrameConnection::look_for_turn() {
  if (withheld_ == Withheld::order) timer_->arm(server_.host_.now());
}

void FrameConnection::first_is_done() {
  if (!std::exchange(first_done_, true)) server_.turn_passed(peer_);
}

void FrameConnection::on_turn() {
  if (server_.older_expected(peer_, id_)) {
    timer_->arm(server_.host_.now() + server_.limits_.order_patience);
    return;
  }
  if (!offer()) {
    withheld_ = Withheld::queue;
    return;
  }
  let_go();
  go_on();
}

FrameConnection::Withheld FrameConnection::waits_for() const noexcept {
  if (call_) return Withheld::call;
  return writer_ ? Withheld::queue : Withheld::order;
}

// False: an answer is awaited, the queue has no room, or an older message is still expected, and the frame waits.
bool FrameConnection::take(MessageBody body) {
  if (take_envelope(body)) {
    first_is_done();
    return !call_;
  }
  pending_.emplace();
  pending_->sender = peer_;
  pending_->address = Address::of(peer_);
  pending_->body = std::move(body);
  pending_->received = server_.host_.now();
  if (!first_done_ && server_.older_expected(peer_, id_)) return false;
  return offer();
}

// Without a responder nobody could answer, and nobody shall wait for it.
bool FrameConnection::take_envelope(ByteSpan body) {
  if (server_.responder_ != nullptr) {
    call_ = server_.responder_->answer(peer_, body, [this](const Bytes& text) { on_answer(text); });
    return call_ != nullptr;
  }
  if (const auto mcp = mcp::read_request(body)) {
    answer(mcp::encode_error(mcp->service, "MCP is not available on this node"));
  } else if (a2a::read_request(body)) {
    answer(a2a::encode_error("A2A is not available on this node"));
  } else {
    return false;
  }
  ticket_.release();
  return true;
}

void FrameConnection::on_answer(const Bytes& body) {
  const auto call = std::move(call_);  // it is calling us
  answer(as_text(body));
  ticket_.release();
  let_go();
  go_on();
}

bool FrameConnection::offer() {
  switch (server_.inbox_.dispatcher().offer(*pending_, pending_->received)) {
    case router::Verdict::full:
    case router::Verdict::peer_share: break;
    default:
      pending_.reset();
      ticket_.release();
      first_is_done();
      return true;
  }
  writer_ = server_.inbox_.wait_for_room(peer_, pending_->body.size(), [this] {
    writer_.reset();
    if (!offer()) return;
    let_go();
    go_on();
  });
  return false;
}

void FrameConnection::answer(std::string_view text) {
  Buffer out{0, 0, router::kFrameHeaderSize + text.size()};
  out.append(router::frame_header(text.size()));
  out.append(as_bytes(text));
  connection_->write(std::move(out));
}

// Stops reading, and our clocks with it (a call brings its own); a peer that does not read our answers keeps its own.
void FrameConnection::withhold(Withheld why) {
  if (std::exchange(withheld_, why) != Withheld::no) return;
  connection_->pause_reading();
  timer_->cancel();
  if (why == Withheld::order) timer_->arm(server_.host_.now() + server_.limits_.order_patience);
  if (why == Withheld::answers) timer_->arm(server_.host_.now() + server_.config_.conn_idle_timeout);
  if (in_body_) body_time_left_ = body_deadline_ - server_.host_.now();
}

void FrameConnection::let_go() {
  withheld_ = Withheld::no;
  last_activity_ = server_.host_.now();
  if (body_time_left_) body_deadline_ = last_activity_ + *std::exchange(body_time_left_, std::nullopt);
  connection_->resume_reading();
}

void FrameConnection::arm() {
  timer_->arm(in_body_ ? body_deadline_ : last_activity_ + server_.config_.conn_idle_timeout);
}

void FrameConnection::time_out() {
  if (withheld_ == Withheld::order) return on_turn();
  if (in_body_ && withheld_ == Withheld::no) {
    log(LogLevel::info, "Read data error from peer {}: time-out", short_name());
  }
  close();
}

void FrameConnection::on_end() {
  ended_ = true;
  if (withheld_ == Withheld::no && !closing_) end_of_input("the peer ended in the middle of it");
}

// What came is all there is: half a frame is worth a line.
void FrameConnection::end_of_input(std::string_view why) {
  if (reader_.inside_length()) log(LogLevel::info, "Read length error from peer {}: {}", short_name(), why);
  if (reader_.inside_body()) log(LogLevel::info, "Read data error from peer {}: {}", short_name(), why);
  close();
}

void FrameConnection::on_writable() {
  if (withheld_ != Withheld::answers) return;
  let_go();
  go_on();
}

void FrameConnection::on_drained() {
  if (draining_ && idle()) close();
}

void FrameConnection::on_closed(const Error*) { server_.gone(id_); }

}  // namespace axl::bridge
