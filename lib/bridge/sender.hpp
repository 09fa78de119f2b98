// `/send`: hands a message to the messenger and tells the client what became of it.
//
// Every answer names the message in X-Axl-Message-Id, so that it can be sent again safely. With X-Axl-Retry-For the
// message goes to the outbox and the answer is 202 at once. A large body goes on to the peer while the rest of it still
// comes, if it comes fast and nothing else is on its way there.
//
// Source: bridge, section 3.2; section 9, rows 2 and 13.
#pragma once

#include <axl/message.hpp>
#include <memory>
#include <string>

#include "bridge/body_gate.hpp"
#include "bridge/host.hpp"
#include "bridge/upload.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class Messenger;

class Sender {
 public:
  Sender(Messenger& messenger, Host& host, std::size_t max_message_size);

  void serve(http::Exchange exchange);
  /// The outbox begins no attempt any more.
  void drain();
  /// Bounds the bodies of messages that programs send, however they do it.
  [[nodiscard]] BodyGate& gate() noexcept { return gate_; }
  [[nodiscard]] std::size_t under_way() const noexcept { return uploads_.under_way(); }

 private:
  struct Sending;

  void receive(http::Exchange exchange, const PublicKey& to, SendOptions options);
  [[nodiscard]] bool begin(const std::shared_ptr<Sending>& sending, const PublicKey& to, const MessageBody& body,
                           const std::shared_ptr<Arrival>& arrival, const SendOptions& options, Time started);
  void send(const std::shared_ptr<Sending>& sending, const PublicKey& to, MessageBody body, SendOptions options);
  void answer(Sending& sending, const Result<SendReport>& result);
  void keep(http::Exchange exchange, const PublicKey& to, MessageBody body, SendOptions options);

  Messenger& messenger_;
  Host& host_;
  BodyGate gate_;  // of messages from the moment they are read to the moment they are answered
  Uploads uploads_;
  http::Headers answer_;  // kept for its memory
};

}  // namespace axl::bridge
