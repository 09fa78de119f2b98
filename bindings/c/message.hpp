// A message in the caller's hands, from a session or from the node's queue.
#pragma once

#include <axl.h>

#include <axl/message.hpp>
#include <axl/pubsub.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace axl::c {

/// Told what became of a message that its reader is to confirm.
class Confirmations {
 public:
  virtual ~Confirmations() = default;
  virtual void settle(std::uint64_t message, std::uint64_t reading, bool confirmed) = 0;
};

}  // namespace axl::c

struct axl_message {
  explicit axl_message(axl::MessageBody bytes) : body{std::move(bytes)} {}
  explicit axl_message(axl::Message message)
      : body{std::move(message.body)},
        sender{message.sender},
        id{std::move(message.id)},
        topic{std::move(message.topic)} {}
  explicit axl_message(const axl::PubSubMessage& message)
      : body{message.body},
        sender{message.origin},
        id{message.id},
        topic{message.topic},
        published{{message.signer, message.from, message.hops}} {}
  axl_message(const axl_message&) = delete;
  axl_message& operator=(const axl_message&) = delete;
  ~axl_message() {
    if (decide) decide(axl::PubSubVerdict::ignore);
    if (confirmations) confirmations->settle(lease_message, lease_reading, false);
  }

  axl::MessageBody body;
  axl::PublicKey sender;
  std::string id;
  std::string topic;
  struct Published {
    axl::PublicKey signer;
    axl::PublicKey relay;
    unsigned hops = 0;
  };
  std::optional<Published> published;
  /// Set while somebody waits to hear.
  std::shared_ptr<axl::c::Confirmations> confirmations;
  axl::PubSub::Decide decide;  // the same, for a verdict
  std::uint64_t lease_message = 0;
  std::uint64_t lease_reading = 0;
};
