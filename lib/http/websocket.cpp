#include "http/websocket.hpp"

#include <utility>

#include "http/input.hpp"
#include "http/websocket_handshake.hpp"

namespace axl::http {

WebSocket::WebSocket(Exchange exchange, const Limits& limits, Scheduler& scheduler, WebSocketEvents& events)
    : limits_{limits},
      scheduler_{scheduler},
      events_{events},
      reader_{limits.messages},
      pulse_{limits.pulse, scheduler.now()},
      timer_{scheduler.make_timer([this] { on_timer(); })},
      exchange_{std::move(exchange)} {
  exchange_.set_events(this);
}

WebSocket::~WebSocket() = default;

void WebSocket::open() {
  exchange_.switch_protocols(websocket_answer(exchange_.request()));
  arm();
}

void WebSocket::send_text(std::string_view text) {
  if (state_ != State::open) return;
  exchange_.write(encode_websocket_frame(WebSocketOpcode::text, true, as_bytes(text)));
}

void WebSocket::send_binary(ByteSpan head, ByteSpan body, bool end) {
  if (state_ != State::open) return;
  exchange_.write(encode_websocket_frame(WebSocketOpcode::binary, end, head, body));
}

void WebSocket::send_more(ByteSpan piece, bool end) {
  if (state_ != State::open) return;
  exchange_.write(encode_websocket_frame(WebSocketOpcode::continuation, end, piece));
}

void WebSocket::close(WebSocketCode code, std::string_view reason) {
  if (state_ != State::open) return;
  exchange_.write(encode_websocket_close(code, reason));
  state_ = State::closing;
  close_by_ = scheduler_.now() + limits_.close_within;
  update_reading();
  arm();
}

void WebSocket::hold(bool held) {
  held_ = held;
  update_reading();
}

// What was held back is read on a turn of its own, as this may be called from anywhere.
void WebSocket::update_reading() {
  if (state_ == State::over) return;
  const bool pause = held_ && state_ == State::open;
  if (pause == paused_) return;
  paused_ = pause;
  if (pause) {
    pulse_.on_pause();
    exchange_.pause_reading();
  } else {
    pulse_.on_resume(scheduler_.now());
    exchange_.resume_reading();
    if (!input_.empty()) {
      scheduler_.executor().post([this, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.lock()) read();
      });
    }
  }
  arm();
}

void WebSocket::on_body(Buffer piece) {
  add_input(input_, std::move(piece));
  read();
}

void WebSocket::read() {
  if (reading_ || state_ == State::over) return;
  reading_ = true;
  while (!paused_ && !input_.empty()) {
    const auto step = reader_.read(input_.mutable_span());
    const auto consumed = step.consumed;
    if (!take(step)) return;  // over, and perhaps destroyed
    input_.drop_front(consumed);
  }
  reading_ = false;
  if (!paused_) pulse_.on_received(reader_.in_message(), scheduler_.now());
  arm();
}

// False when it was the last thing.
bool WebSocket::take(const WebSocketReader::Step& step) {
  using What = WebSocketReader::What;
  const bool wanted = state_ == State::open;
  switch (step.what) {
    case What::nothing:
    case What::pong: break;
    case What::text:
      if (wanted) events_.on_text(as_text(step.payload));
      break;
    case What::binary:
      if (wanted) events_.on_binary(step.payload, step.end);
      break;
    case What::ping: answer_ping(step.payload); break;
    case What::close:
      if (wanted) exchange_.write(encode_websocket_close(step.code, {}));
      end(!wanted);
      return false;
    case What::violation: fail(step.code, as_text(step.payload)); return false;
  }
  return true;
}

void WebSocket::answer_ping(ByteSpan payload) {
  if (state_ != State::open) return;
  if (exchange_.writable()) {
    exchange_.write(encode_websocket_frame(WebSocketOpcode::pong, true, payload));
  } else {
    ping_ = std::string{as_text(payload)};
  }
}

void WebSocket::on_writable() {
  if (state_ != State::open) return;
  if (const auto ping = std::exchange(ping_, std::nullopt)) answer_ping(as_bytes(*ping));
  events_.on_writable();
}

void WebSocket::on_body_end() { end(false); }
void WebSocket::on_aborted(const Error&) { end(false); }

void WebSocket::on_timer() {
  const auto now = scheduler_.now();
  armed_for_.reset();
  if (state_ == State::closing && now >= close_by_) {
    end(false);
    return;
  }
  if (const auto due = state_ == State::open ? pulse_.on_tick(now) : std::nullopt) {
    switch (*due) {
      case WebSocketPulse::Output::peer_is_dead: fail(WebSocketCode::internal_error, "no sign of life"); return;
      case WebSocketPulse::Output::message_is_stuck: fail(WebSocketCode::policy, "the message does not go on"); return;
      case WebSocketPulse::Output::send_ping:
        exchange_.write(encode_websocket_frame(WebSocketOpcode::ping, true, {}));
    }
  }
  arm();
}

// A deadline that only moves away is looked at when the timer was set for, not set again for every byte.
void WebSocket::arm() {
  if (state_ == State::over) return;
  const auto next = state_ == State::closing ? std::optional{close_by_} : pulse_.next_tick();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  timer_->arm(*next);
}

// Section 7.1.7: says why, and does not wait for an answer.
void WebSocket::fail(WebSocketCode code, std::string_view reason) {
  if (state_ == State::open) exchange_.write(encode_websocket_close(code, reason));
  end(false);
}

void WebSocket::end(bool answered) {
  if (std::exchange(state_, State::over) == State::over) return;
  timer_->cancel();
  exchange_.set_events(nullptr);
  exchange_.finish();
  events_.on_closed(answered);
}

}  // namespace axl::http
