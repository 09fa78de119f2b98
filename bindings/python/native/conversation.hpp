// One session as Python sees it: what has arrived waits here, up to a bound, then the peer is slowed down.
#pragma once

#include <axl/session.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "channel.hpp"

namespace axl::python {

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  static constexpr std::size_t kPauseAt = 1UL << 20;   // bytes that Python has not read
  static constexpr std::size_t kPauseAtMessages = 512;

  /// To be called before the handler that brought the session returns.
  [[nodiscard]] static std::shared_ptr<Conversation> of(Session session, std::shared_ptr<Channel> channel);
  explicit Conversation(std::shared_ptr<Channel> channel);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] Session& session() noexcept { return session_; }
  [[nodiscard]] const std::shared_ptr<Channel>& channel() const noexcept { return channel_; }

  // Python. `changed` comes for this id whenever one of these may have another answer.
  void read_bytes();
  void read_messages(std::size_t max_size);
  /// At most `most` bytes; empty when there are none yet.
  [[nodiscard]] nb::bytes take_bytes(std::size_t most);
  [[nodiscard]] std::optional<MessageBody> take_message();
  [[nodiscard]] std::size_t held() const;
  [[nodiscard]] bool ended() const;   ///< nothing more will come
  [[nodiscard]] bool closed() const;  ///< the session is over
  /// Why, unless both sides have closed it.
  [[nodiscard]] std::optional<Error> error() const;

 private:
  void listen();
  void on_data(Bytes data);
  void on_message(MessageBody body);
  void tell();
  void pause_when_full();
  void resume_when_low(std::unique_lock<std::mutex> lock);

  const std::shared_ptr<Channel> channel_;
  const std::uint64_t id_;
  Session session_;

  mutable std::mutex mutex_;
  std::deque<Bytes> pieces_;
  std::size_t used_ = 0;  // of the first piece
  std::deque<MessageBody> messages_;
  std::size_t held_ = 0;
  bool paused_ = false;
  bool told_ = false;  // a `changed` is on its way
  bool ended_ = false;
  bool closed_ = false;
  std::optional<Error> error_;
};

}  // namespace axl::python
