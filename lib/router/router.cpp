#include <axl/router.hpp>
#include <utility>

#include "router/dispatcher.hpp"

namespace axl {

Router::HandlerId Router::on_message(Filter filter, Handler handler) {
  return dispatcher_->add_handler(std::move(filter), std::move(handler));
}

Router::HandlerId Router::on_message(Handler handler) { return dispatcher_->add_handler({}, std::move(handler)); }

Router::HandlerId Router::on_topic(std::string topic, Handler handler) {
  return dispatcher_->add_handler([topic = std::move(topic)](const Message& message) { return message.topic == topic; },
                                  std::move(handler));
}

Router::HandlerId Router::on_sender(const PublicKey& peer, Handler handler) {
  return dispatcher_->add_handler([peer](const Message& message) { return message.sender == peer; },
                                  std::move(handler));
}

void Router::remove(HandlerId id) { dispatcher_->remove_handler(id); }

std::optional<Message> Router::receive() { return dispatcher_->receive(); }

Router::QueueStats Router::queue_stats() const { return dispatcher_->stats(); }

}  // namespace axl
