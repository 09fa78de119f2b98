// What a ServiceReply and the loop share: steps of an answer, in the order they were taken, from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/buffer.hpp"
#include "core/executor.hpp"
#include "http/headers.hpp"

namespace axl::services {

/// The loop as replies reach it; outlives the node in their hands, and takes nothing then.
class ReplyLoop {
 public:
  explicit ReplyLoop(Executor& executor) noexcept : executor_{&executor} {}
  void detach() {
    const std::lock_guard lock{mutex_};
    executor_ = nullptr;
  }
  void post(std::function<void()> task) {
    const std::lock_guard lock{mutex_};
    if (executor_ != nullptr) executor_->post(std::move(task));
  }
  [[nodiscard]] bool on_loop() const {
    const std::lock_guard lock{mutex_};
    return executor_ != nullptr && executor_->on_loop();
  }

 private:
  mutable std::mutex mutex_;
  Executor* executor_;
};

/// One thing to do with an answer.
struct ReplyStep {
  enum class Kind : std::uint8_t {
    respond,  ///< head and body, whole
    start,
    write,
    finish,
    abort,
    drop,  ///< nobody will say more
  };
  Kind kind{};
  int status = 0;
  http::Headers headers = {};
  Buffer bytes = {};
};

/// Carries the steps out; on the loop only.
class ReplySink {
 public:
  /// May end the sink.
  virtual void carry_out(ReplyStep step) = 0;

 protected:
  ~ReplySink() = default;
};

struct ReplyState : std::enable_shared_from_this<ReplyState> {
  explicit ReplyState(std::shared_ptr<ReplyLoop> l) noexcept : loop{std::move(l)} {}

  void take(ReplyStep step);  ///< from any thread

  // On the loop.
  void carry_out();
  void on_gone(bool finished);   ///< the sink is no more
  void held(std::size_t bytes);  ///< the sink holds so many bytes back
  void on_room();                ///< it held some back, and holds none now

  const std::shared_ptr<ReplyLoop> loop;
  ReplySink* sink = nullptr;  // on the loop only; null when the caller has gone or the answer is finished

  mutable std::mutex mutex;
  std::vector<ReplyStep> steps;
  bool posted = false;
  bool running = false;  // carry_out() is on the stack
  bool connected = true;
  bool cancelled = false;         // the caller went before the end, and nobody was told
  std::size_t waiting_bytes = 0;  // in `steps`
  std::size_t held_bytes = 0;
  std::function<void()> cancel_handler;
  std::function<void()> room_handler;
};

}  // namespace axl::services
