#include <axl/pull.hpp>
#include <utility>

#include "node/answer.hpp"
#include "node/node_state.hpp"
#include "node/pulled_port.hpp"
#include "node/queue_reading.hpp"

namespace axl::pull {

namespace {

/// What `begin` is to call its handler with.
template <class T, class Begin>
SourceOf<T> answer_of(Begin begin) {
  auto answer = std::make_shared<node::Answer<T>>();
  begin(node::Answer<T>::handler(answer));
  return answer;
}

}  // namespace

Result<std::shared_ptr<Port>> listen(Node& node, std::uint16_t port) {
  auto pulled = std::make_shared<node::PulledPort>(node.state(), port);
  if (const auto listening = pulled->listen(); !listening) return listening.error();
  return std::shared_ptr<Port>{std::move(pulled)};
}

SourceOf<std::shared_ptr<Flow>> connect(Node& node, const PublicKey& peer, std::uint16_t port) {
  return answer_of<std::shared_ptr<Flow>>([&](auto done) {
    // Made a flow on the loop, where the session can have missed nothing.
    node.connect(peer, port, [done = std::move(done)](Result<Session> session) {
      if (!session) return done(session.error());
      done(make_flow(*std::move(session)));
    });
  });
}

SourceOf<SendReport> send(Node& node, const PublicKey& peer, MessageBody body, SendOptions options) {
  return answer_of<SendReport>(
      [&](auto done) { node.send(peer, std::move(body), std::move(options), std::move(done)); });
}

SourceOf<Duration> ping(Node& node, const PublicKey& peer, Duration timeout) {
  return answer_of<Duration>([&](auto done) { node.ping(peer, timeout, std::move(done)); });
}

SourceOf<Message> receive(Node& node, const Router::Selection& wanted) {
  return std::make_shared<node::QueueReading>(node.state(), wanted);
}

Result<void> may_block(Node& node) { return node.state().executor().may_block(); }

}  // namespace axl::pull
