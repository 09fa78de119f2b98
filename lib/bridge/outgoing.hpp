// A message on its way out, and the connection that carries such.
#pragma once

#include <axl/message.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "bridge/arrival.hpp"

namespace axl::bridge {

using SendHandler = std::function<void(Result<SendReport>)>;

struct OutgoingMessage {
  OutgoingMessage() = default;
  OutgoingMessage(const OutgoingMessage&) = delete;
  OutgoingMessage& operator=(const OutgoingMessage&) = delete;
  ~OutgoingMessage() {
    if (arrival) arrival->watch(nullptr);
  }

  [[nodiscard]] bool whole() const noexcept { return !arrival || arrival->complete(); }

  std::uint64_t number = 0;  // in the order of calls
  MessageBody body;
  std::shared_ptr<Arrival> arrival;  // of a body that is still coming; null: it is all there
  SendOptions options;
  SendHandler handler;  // null once called
  Time deadline{};      // for the receipt; counted from when the peer was reached
  bool may_have_arrived = false;
  int losses = 0;  // connections that ended under it
};

/// How an attempt to deliver a message over one connection has ended.
struct Attempt {
  enum class End : std::uint8_t {
    delivered,   ///< `delivery` says how surely
    refused,     ///< the peer, or its limits, said no: `error`
    not_there,   ///< this is no peer that takes messages here
    lost,        ///< the connection ended and the peer cannot have the message
    lost_maybe,  ///< the connection ended and the peer may have the message
  };
  End end{};
  Delivery delivery{};
  Error error{Errc::closed, {}};
};

class MessageLink;

/// Hears of a link. Never called inside give() or close(); may not destroy the link.
class LinkOwner {
 public:
  virtual void on_attempt(std::unique_ptr<OutgoingMessage> message, Attempt attempt) = 0;
  /// has_room() or usable() may have changed.
  virtual void on_link_change() = 0;

 protected:
  ~LinkOwner() = default;
};

/// One connection to a peer that carries messages, in the order given.
class MessageLink {
 public:
  MessageLink() = default;
  MessageLink(const MessageLink&) = delete;
  MessageLink& operator=(const MessageLink&) = delete;
  virtual ~MessageLink() = default;  ///< aborts the connection; what it carries is dropped

  /// Only while usable() and has_room(). Gives the message back if the connection takes no more after all.
  [[nodiscard]] virtual std::unique_ptr<OutgoingMessage> give(std::unique_ptr<OutgoingMessage> message) = 0;
  [[nodiscard]] virtual bool usable() const = 0;
  [[nodiscard]] virtual bool has_room() const = 0;
  /// Messages given whose attempt has not ended.
  [[nodiscard]] virtual std::size_t carried() const = 0;
  /// Takes back what is past its deadline: the attempt ends as lost or lost_maybe.
  virtual void on_tick(Time now) = 0;
  /// Orderly end; carries nothing.
  virtual void close() = 0;
};

}  // namespace axl::bridge
