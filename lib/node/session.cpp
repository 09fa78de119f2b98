#include <axl/session.hpp>
#include <limits>
#include <utility>

#include "node/session_state.hpp"

namespace axl {

namespace {

constexpr std::size_t kCopyAtMost = 16 * 1024;  // copying so little costs less than a piece of its own on the way

Error no_session() { return {Errc::closed, "this session object holds no session"}; }

}  // namespace

Session::Session(std::shared_ptr<node::SessionState> state) noexcept : state_{std::move(state)} {}
Session::Session(Session&&) noexcept = default;

Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    if (state_) state_->release();
    state_ = std::move(other.state_);
  }
  return *this;
}

Session::~Session() {
  if (state_) state_->release();
}

const PublicKey& Session::peer() const {
  static const PublicKey nobody;
  return state_ ? state_->peer() : nobody;
}

std::uint16_t Session::local_port() const { return state_ ? state_->local_port() : std::uint16_t{0}; }
std::uint16_t Session::remote_port() const { return state_ ? state_->remote_port() : std::uint16_t{0}; }

Result<void> Session::write(Bytes data) {
  if (!state_) return no_session();
  if (data.empty()) return {};
  if (data.size() <= kCopyAtMost) return state_->write(Buffer::copy_of(data));
  return write(MessageBody{std::move(data)});
}

Result<void> Session::write(MessageBody data) {
  if (!state_) return no_session();
  if (data.empty()) return {};
  return state_->write(Buffer::view_of(data.owner(), data));
}

Result<void> Session::send_message(MessageBody body) {
  if (!state_) return no_session();
  if (body.size() > std::numeric_limits<std::uint32_t>::max()) {
    return Error{Errc::too_large, "a message is at most 4294967295 bytes"};
  }
  const auto header = router::frame_header(body.size());
  if (body.size() > kCopyAtMost) return state_->write(Buffer::copy_of(header), std::move(body));
  auto message = Buffer::copy_of(body, header.size());
  message.prepend(header);
  return state_->write(std::move(message));
}

std::size_t Session::pending() const { return state_ ? state_->pending() : 0; }
bool Session::congested() const { return state_ && state_->congested(); }

void Session::on_data(DataHandler handler) {
  if (state_) state_->set_data_handler(std::move(handler));
}
void Session::on_message(MessageHandler handler, std::size_t max_size) {
  if (state_) state_->set_message_handler(std::move(handler), max_size);
}
void Session::on_writable(EventHandler handler) {
  if (state_) state_->set_writable_handler(std::move(handler));
}
void Session::on_drained(EventHandler handler) {
  if (state_) state_->set_drained_handler(std::move(handler));
}
void Session::on_end(EventHandler handler) {
  if (state_) state_->set_end_handler(std::move(handler));
}
void Session::on_closed(ClosedHandler handler) {
  if (state_) state_->set_closed_handler(std::move(handler));
}

void Session::pause() {
  if (state_) state_->pause();
}
void Session::resume() {
  if (state_) state_->resume();
}
void Session::finish() {
  if (state_) state_->finish();
}
void Session::close() {
  if (state_) state_->close();
}
void Session::abort() {
  if (state_) state_->abort();
}

}  // namespace axl
