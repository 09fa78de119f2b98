// The connections of one loop that have something to do later in this turn: all of them in one visit, and at the end of
// what made it for them where that is known, instead of behind another look at every socket. The same for nodes, whose
// tasks make work for connections and the other way round.
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

  /// Whoever has something to do before connections advance, so that what comes of it leaves with them.
  class Visitor {
   public:
    virtual void visit() = 0;

   protected:
    ~Visitor() = default;
  };

  void add(std::shared_ptr<Connection> connection);
  /// Other sockets want their turn first.
  void add_later(std::shared_ptr<Connection> connection);
  void add(std::shared_ptr<Visitor> visitor);

  /// What is added now comes at the end of what runs.
  [[nodiscard]] bool held() const noexcept { return held_ > 0; }
  /// That end has begun.
  [[nodiscard]] bool ending() const noexcept { return ending_; }

  /// As long as it lives connections and visitors only gather; its end has their turn come. What they put off in turn
  /// comes too, up to a bound.
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
  void run_once();
  void visit_later();

  asio::io_context& context_;
  std::vector<std::shared_ptr<Connection>> waiting_;
  std::vector<std::shared_ptr<Connection>> running_;  // empty but while they run
  std::vector<std::shared_ptr<Connection>> later_;
  std::vector<std::shared_ptr<Visitor>> visitors_;
  std::vector<std::shared_ptr<Visitor>> visiting_;  // as running_
  int held_ = 0;
  bool ending_ = false;
  bool posted_ = false;
};

}  // namespace axl::net
