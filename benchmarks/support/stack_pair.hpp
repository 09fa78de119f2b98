// Two TCP stacks back to back with one connection between them. Packets wait in two queues and are lost never; time
// goes on only when nothing else can.
#pragma once

#include <axl/key.hpp>
#include <deque>
#include <memory>

#include "crypto/hash.hpp"
#include "tcpip/stack.hpp"

namespace axl::bench {

class StackPair {
 public:
  explicit StackPair(std::size_t mtu);
  ~StackPair();

  /// Writes `size` bytes on one end, in pieces of `piece`, and runs until the other has all of them.
  void carry(std::size_t size, std::size_t piece);
  /// One write of `size` bytes each way, one after the other.
  void exchange(std::size_t size);

  /// Packets carried so far, and the virtual time that went by: what waited for a timer.
  [[nodiscard]] std::size_t packets() const noexcept { return packets_; }
  [[nodiscard]] Duration waited() const noexcept { return now_.time_since_epoch(); }

 private:
  class End;
  void write(End& from, std::size_t size, std::size_t piece, End& to);
  bool move_packets();
  void settle();
  template <class Done>
  void run(Done done);

  Time now_{};
  std::size_t packets_ = 0;
  std::unique_ptr<End> a_;
  std::unique_ptr<End> b_;
};

}  // namespace axl::bench
