// The connections of one loop that have something to do later in this turn: all of them in one visit, and at the end of
// what made it for them where that is known, instead of behind another look at every socket.
//
// One for each io_context, which owns it. Lives on the loop.
#pragma once

#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <memory>
#include <vector>

namespace axl::net {

class Connection;

class Advances final : public asio::execution_context::service {
 public:
  using key_type = Advances;
  static inline asio::execution_context::id id;

  explicit Advances(asio::io_context& context);

  void add(std::shared_ptr<Connection> connection);

  /// As long as it lives connections only gather; its end has them advance. What they put off in turn comes in another
  /// visit.
  class Hold {
   public:
    explicit Hold(Advances& advances) noexcept : advances_{advances} { ++advances_.held_; }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      if (--advances_.held_ == 0) advances_.run();
    }

   private:
    Advances& advances_;
  };

 private:
  void shutdown() noexcept override;
  void run();
  void visit_later();

  asio::io_context& context_;
  std::vector<std::shared_ptr<Connection>> waiting_;
  std::vector<std::shared_ptr<Connection>> running_;  // empty but while they run
  int held_ = 0;
  bool posted_ = false;
};

}  // namespace axl::net
