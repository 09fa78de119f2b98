#include "bridge/old_peer_call.hpp"

#include <fmt/format.h>

#include <utility>

#include "bridge/dial_error.hpp"
#include "bridge/old_peer_requests.hpp"

namespace axl::bridge {

OldPeerCall::OldPeerCall(const OldPeerConfig& config, Host& host, BodyGate& gate, const PublicKey& peer,
                         std::string envelope, Handler handler)
    : config_{config},
      host_{host},
      gate_{gate},
      peer_{peer},
      envelope_{std::move(envelope)},
      handler_{std::move(handler)},
      reader_{config.max_message_size},
      timer_{host.make_timer([this] { fail(Errc::timed_out, "no response from peer: i/o timeout"); })} {
  host.connect(peer, config.tcp_port, config.dial_timeout,
               [this, alive = std::weak_ptr{alive_}](Result<std::unique_ptr<tcpip::Connection>> connection) {
                 if (alive.expired()) return;
                 if (connection) return start(std::move(*connection));
                 const auto error = dial_error(connection.error(), Address::of(peer_), config_.tcp_port);
                 finish(Error{error.code(), "Failed to reach peer: " + error.text()});
               });
}

OldPeerCall::~OldPeerCall() {
  if (connection_) connection_->set_handler(nullptr);
}

void OldPeerCall::start(std::unique_ptr<tcpip::Connection> connection) {
  connection_ = std::move(connection);
  connection_->set_handler(this);
  timer_->arm(host_.now() + config_.answer_timeout);
  Buffer frame{0, 0, router::kFrameHeaderSize + envelope_.size()};
  frame.append(router::frame_header(envelope_.size()));
  frame.append(as_bytes(envelope_));
  std::string{}.swap(envelope_);  // its memory too
  connection_->write(std::move(frame));
}

void OldPeerCall::on_data(Buffer data) {
  if (input_.empty()) {
    input_ = std::move(data);
  } else {
    input_.append(data);  // came before the pause took hold
  }
  go_on();
}

void OldPeerCall::go_on() {
  while (!input_.empty()) {
    if (const auto wanted = reader_.body_bytes_wanted(input_.size()); wanted > 0) {
      if (!ticket_.valid()) ticket_ = gate_.begin(peer_, [this] { go_on(); });
      if (!ticket_.grow(wanted)) {
        if (!std::exchange(paused_, true)) connection_->pause_reading();
        return;
      }
    }
    auto body = reader_.read(input_);
    if (!body) {
      return fail(Errc::too_large,
                  fmt::format("message size {} exceeds maximum {}", reader_.body_size(), config_.max_message_size));
    }
    if (*body) return finish(std::move(**body));
  }
  if (std::exchange(paused_, false)) connection_->resume_reading();
}

void OldPeerCall::on_end() {
  if (!paused_) fail(Errc::closed, "no response from peer: EOF");
}

void OldPeerCall::on_closed(const Error* error) {
  if (error != nullptr && !sent_) return fail(Errc::closed, "Failed to send to peer");
  fail(Errc::closed, "no response from peer: " + (error == nullptr ? std::string{"EOF"} : error->text()));
}

void OldPeerCall::fail(Errc code, std::string text) { finish(Error{code, std::move(text)}); }

void OldPeerCall::finish(Result<MessageBody> answer) {
  timer_->cancel();
  if (connection_) {
    connection_->set_handler(nullptr);
    connection_->close();
    connection_.reset();
  }
  // May destroy this object.
  if (const auto handler = std::exchange(handler_, nullptr)) handler(std::move(answer));
}

}  // namespace axl::bridge
