// The latest messages of one topic, in the order in which they came here, for streams that read at their own pace.
//
// Nobody is waited for: what is over the bound goes, the oldest first, and whoever had not read it can tell by the
// numbers how much that was.
#pragma once

#include <axl/pubsub.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

namespace axl::patterns {

class Feed {
 public:
  static constexpr std::size_t kMaxMessages = 1'024;
  static constexpr std::size_t kMaxBytes = 8u << 20;  ///< besides the last message

  void add(PubSubMessage message);
  void drop_first();

  /// Numbers of the first message that is here, and of the next one that will come.
  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return begin_ + messages_.size(); }
  [[nodiscard]] const PubSubMessage& at(std::uint64_t number) const { return messages_[number - begin_]; }
  /// The number behind the message of this id; empty: it is not here.
  [[nodiscard]] std::optional<std::uint64_t> after(std::string_view id) const;
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] static std::size_t cost(const PubSubMessage& message) noexcept;

  std::deque<PubSubMessage> messages_;
  std::uint64_t begin_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace axl::patterns
