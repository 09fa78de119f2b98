// The one answer of a call to the node, kept until it is taken.
#pragma once

#include <axl/pull.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace axl::node {

[[nodiscard]] inline Error node_stopped() { return {Errc::closed, "the node has been stopped"}; }

/// Runs `task` when its last copy goes. A node that stops drops its handlers uncalled: what a handler holds tells of that.
template <class Task>
[[nodiscard]] std::shared_ptr<void> at_last_copy(Task task) {
  return {nullptr, [task = std::move(task)](std::nullptr_t) { task(); }};
}

template <class T>
class Answer final : public pull::Source<T> {
 public:
  using Handler = std::function<void(Result<T>)>;

  /// Sets it; dropped uncalled, it says that the node has been stopped.
  [[nodiscard]] static Handler handler(std::shared_ptr<Answer> answer) {
    auto dropped = at_last_copy([answer] { answer->set(node_stopped()); });
    return [answer = std::move(answer), dropped = std::move(dropped)](Result<T> result) { answer->set(std::move(result)); };
  }

  /// The first counts.
  void set(Result<T> result) {
    pull::Ready ready;
    {
      const std::lock_guard lock{mutex_};
      if (std::exchange(set_, true)) return;
      answer_.emplace(std::move(result));
      ready = std::exchange(ready_, nullptr);
    }
    if (ready) ready();
  }

  void wait(pull::Ready ready) override {
    {
      const std::lock_guard lock{mutex_};
      if (!set_) {
        ready_ = std::move(ready);
        return;
      }
    }
    ready();
  }

  [[nodiscard]] Result<T> take() override {
    const std::lock_guard lock{mutex_};
    if (answer_) return *std::exchange(answer_, std::nullopt);
    return Error{Errc::would_block, "nothing has come yet"};
  }

  // What nobody wants is destroyed without the lock.
  void give_up() override {
    pull::Ready left;
    std::optional<Result<T>> unwanted;
    const std::lock_guard lock{mutex_};
    set_ = true;
    left = std::exchange(ready_, nullptr);
    unwanted.swap(answer_);
  }

 private:
  std::mutex mutex_;
  pull::Ready ready_;
  std::optional<Result<T>> answer_;
  bool set_ = false;  // or never to be
};

}  // namespace axl::node
