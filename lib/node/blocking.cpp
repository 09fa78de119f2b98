#include <axl/blocking.hpp>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace axl {

namespace {

struct Alarm {
  std::mutex mutex;
  std::condition_variable rung;
  bool ready = false;
};

template <class T>
Result<T> wait_for(pull::Source<T>& source, Duration timeout) {
  const auto alarm = std::make_shared<Alarm>();
  source.wait([alarm] {
    const std::lock_guard lock{alarm->mutex};
    alarm->ready = true;
    alarm->rung.notify_one();
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto is_ready = [&] { return alarm->ready; };
  std::unique_lock lock{alarm->mutex};
  bool ready = true;
  if (timeout > std::chrono::steady_clock::time_point::max() - begun) {
    alarm->rung.wait(lock, is_ready);
  } else {
    ready = alarm->rung.wait_until(lock, begun + timeout, is_ready);
  }
  lock.unlock();
  if (ready) return source.take();
  source.give_up();
  return Error{Errc::timed_out, "operation timed out"};
}

/// Begins only where the wait has an end.
template <class Held, class Begin>
auto block(const pull::Owner<Held>& held, Duration timeout, Begin begin) -> decltype(begin()->take()) {
  if (!held) return Error{Errc::closed, "this object holds nothing"};
  if (const auto may = held->may_block(); !may) return may.error();
  return wait_for(*begin(), timeout);
}

template <class Begin>
auto block(Node& node, Duration timeout, Begin begin) -> decltype(begin()->take()) {
  if (const auto may = pull::may_block(node); !may) return may.error();
  return wait_for(*begin(), timeout);
}

Result<BlockingSession> session_of(Result<std::shared_ptr<pull::Flow>> flow) {
  if (!flow) return flow.error();
  return BlockingSession{*std::move(flow)};
}

}  // namespace

BlockingSession::BlockingSession(Session session) : BlockingSession{pull::make_flow(std::move(session))} {}

const PublicKey& BlockingSession::peer() const {
  static const PublicKey nobody;
  return flow_ ? flow_->peer() : nobody;
}

std::uint16_t BlockingSession::local_port() const { return flow_ ? flow_->local_port() : std::uint16_t{0}; }
std::uint16_t BlockingSession::remote_port() const { return flow_ ? flow_->remote_port() : std::uint16_t{0}; }

Result<MessageBody> BlockingSession::receive(Duration timeout, std::size_t max_size) {
  return block(flow_, timeout, [&] { return flow_->message(max_size); });
}

Result<Bytes> BlockingSession::read(std::size_t max_size, Duration timeout) {
  return block(flow_, timeout, [&] { return flow_->bytes(max_size); });
}

Result<void> BlockingSession::send(MessageBody body, Duration timeout) {
  return block(flow_, timeout, [&] { return flow_->send(std::move(body)); });
}

Result<void> BlockingSession::write(Bytes data, Duration timeout) {
  return block(flow_, timeout, [&] { return flow_->write(std::move(data)); });
}

Result<void> BlockingSession::drain(Duration timeout) {
  return block(flow_, timeout, [&] { return flow_->drained(); });
}

Result<void> BlockingSession::close(Duration timeout) {
  return block(flow_, timeout, [&] { return flow_->close(); });
}

void BlockingSession::finish() {
  if (flow_) flow_->finish();
}

void BlockingSession::abort() {
  if (flow_) flow_->abort();
}

Result<BlockingSession> BlockingAcceptor::accept(Duration timeout) {
  return session_of(block(port_, timeout, [&] { return port_->accept(); }));
}

Result<BlockingSession> BlockingNode::connect(const PublicKey& peer, std::uint16_t port, Duration timeout) {
  return session_of(block(*node_, timeout, [&] { return pull::connect(*node_, peer, port); }));
}

Result<BlockingAcceptor> BlockingNode::listen(std::uint16_t port) {
  auto listening = pull::listen(*node_, port);
  if (!listening) return listening.error();
  return BlockingAcceptor{*std::move(listening)};
}

Result<SendReport> BlockingNode::send(const PublicKey& peer, MessageBody body, SendOptions options, Duration timeout) {
  return block(*node_, timeout, [&] { return pull::send(*node_, peer, std::move(body), std::move(options)); });
}

Result<Duration> BlockingNode::ping(const PublicKey& peer, Duration timeout) {
  return block(*node_, kForever, [&] { return pull::ping(*node_, peer, timeout); });
}

Result<Message> BlockingNode::receive(const Router::Selection& wanted, Duration timeout) {
  return block(*node_, timeout, [&] { return pull::receive(*node_, wanted); });
}

}  // namespace axl
