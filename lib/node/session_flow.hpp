// A session whose data is pulled: handlers that run on the loop put what comes into a mailbox, and whoever waits is woken.
// A full one pauses the session.
//
// The lock protects who waits for events; it is never held while the session, or whoever waits, is called.
#pragma once

#include <atomic>
#include <axl/pull.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "node/answer.hpp"
#include "node/mailbox.hpp"

namespace axl::node {

class SessionFlow final : public pull::Flow, public std::enable_shared_from_this<SessionFlow> {
 public:
  /// Read ahead of whoever takes it; one message more, however long, may lie there.
  static constexpr std::size_t kReadAhead = 256UL * 1024;
  /// What a piece costs besides its bytes, so that small ones are bounded as well.
  static constexpr std::size_t kPieceCost = 4096;

  explicit SessionFlow(Session session);
  SessionFlow(const SessionFlow&) = delete;
  SessionFlow& operator=(const SessionFlow&) = delete;
  ~SessionFlow() override;
  void listen();  ///< once, after construction

  [[nodiscard]] const PublicKey& peer() const override { return session_.peer(); }
  [[nodiscard]] std::uint16_t local_port() const override { return session_.local_port(); }
  [[nodiscard]] std::uint16_t remote_port() const override { return session_.remote_port(); }
  [[nodiscard]] pull::SourceOf<MessageBody> message(std::size_t max_size) override;
  [[nodiscard]] pull::SourceOf<Bytes> bytes(std::size_t max_size) override;
  [[nodiscard]] pull::SourceOf<void> send(MessageBody body) override;
  [[nodiscard]] pull::SourceOf<void> write(Bytes data) override;
  [[nodiscard]] pull::SourceOf<void> drained() override { return wait_for(Event::drained); }
  [[nodiscard]] pull::SourceOf<void> close() override;
  void finish() override { session_.finish(); }
  void abort() override { session_.abort(); }
  void shut() override;
  [[nodiscard]] Result<void> may_block() const override;

 private:
  enum class Kind : std::uint8_t { none, messages, bytes };
  enum class Event : std::uint8_t { writable, drained, closed };
  struct Wait {
    Event event;
    std::weak_ptr<Answer<void>> answer;  // none once nobody waits any more
  };
  struct Piece {
    MessageBody message;
    Bytes bytes;           // or these
    std::size_t read = 0;  // of bytes
  };
  static std::size_t cost(const Piece& piece) noexcept {
    return kPieceCost + piece.message.size() + piece.bytes.size() - piece.read;
  }

  [[nodiscard]] bool read_as(Kind kind, bool& first) noexcept;
  [[nodiscard]] std::shared_ptr<Mailbox<Piece>> incoming() { return {shared_from_this(), &incoming_}; }
  void store(Piece piece);
  void freed(std::size_t size);
  void make_room();

  [[nodiscard]] pull::SourceOf<void> wait_for(Event event);
  void settle(Event event);
  [[nodiscard]] std::optional<Result<void>> outcome(Event event);
  void over(Result<void> result);

  Session session_;
  Mailbox<Piece> incoming_;
  std::atomic<Kind> kind_{Kind::none};
  std::atomic<std::size_t> stored_{0};  // what incoming_ costs
  std::atomic<bool> paused_{false};     // set on the loop only

  std::mutex mutex_;
  std::vector<Wait> waits_;
  std::optional<Result<void>> over_;  // nothing happens any more
};

}  // namespace axl::node
