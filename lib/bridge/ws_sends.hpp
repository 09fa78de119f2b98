// The messages that the client of one `/ws` sends: gathers each, hands it to the messenger, and answers in the order of
// their coming.
//
// Answers are JSON: `sent` counts the client's binary messages from 1, `status` says what `/send` would. So many may be
// without an answer at a time; further ones are not read until then. Bodies count against the same budget as those of
// `/send`, and wait unread when it is used up. A client that goes takes its answers with it, not its messages.
//
// Source: bridge, section 9, rows 2 and 3.
#pragma once

#include <axl/message.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "bridge/body_gate.hpp"
#include "bridge/host.hpp"
#include "router/frame_reader.hpp"

namespace axl::bridge {

class Messenger;

class WsSends {
 public:
  /// Without an answer, at most.
  static constexpr std::size_t kInFlight = 256;

  /// `answer` writes one. `changed` is called, never inside a call, when full() or idle() may say something else.
  WsSends(Messenger& messenger, Host& host, BodyGate& gate, std::function<void(std::string_view)> answer,
          std::function<void()> changed);
  WsSends(const WsSends&) = delete;
  WsSends& operator=(const WsSends&) = delete;
  ~WsSends() = default;

  void on_binary(ByteSpan piece, bool end);
  /// Read no more for now.
  [[nodiscard]] bool full() const noexcept { return !waiting_.empty() || sent_.size() >= kInFlight; }
  /// Every message has its answer.
  [[nodiscard]] bool idle() const noexcept { return sent_.empty(); }

 private:
  struct Sent {
    std::uint64_t number = 0;
    BodyGate::Ticket ticket;
    std::string answer;  // empty: none yet
  };

  void on_room();
  void finish();
  void answer(Sent& sent, std::string text);

  Messenger& messenger_;
  Host& host_;
  BodyGate& gate_;
  std::function<void(std::string_view)> answer_;
  std::function<void()> changed_;
  BodyGate::Ticket ticket_;  // of the message that is coming
  router::BodyCollector body_;
  Bytes waiting_;            // of it: read, and not yet granted by the budget
  bool waiting_ends_ = false;  // that is its last piece
  std::deque<std::shared_ptr<Sent>> sent_;
  std::uint64_t count_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
