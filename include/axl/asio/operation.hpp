// One operation with one of Asio's completion tokens. Its result is an axl::Result<T>: the signature is void(Result<T>).
//
// The handler runs on its associated executor, or on the node's loop if it has none, and never inside the call that began
// the operation. All kinds of cancellation end it with the error `cancelled`. What is waited for is taken when the
// handler is about to run, not before: an operation that is cancelled at the last moment has taken nothing.
//
// Executors and their contexts must outlive the node.
#pragma once

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <axl/pull.hpp>
#include <axl/result.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace axl {

/// Without a token of its own every operation is awaited.
inline constexpr asio::use_awaitable_t<> use_awaitable{};

namespace detail {

using LoopExecutor = asio::io_context::executor_type;

/// `From` is what the source brings, `To` what the handler gets; made of the other.
template <class To, class From, class Handler>
class Operation : public std::enable_shared_from_this<Operation<To, From, Handler>> {
 public:
  Operation(Handler&& handler, const LoopExecutor& loop, pull::SourceOf<From> source)
      : handler_{std::move(handler)},
        loop_{loop},
        work_{asio::make_work_guard(asio::get_associated_executor(*handler_, loop))},
        source_{std::move(source)} {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() {
    if (source_) source_->give_up();
  }

  void start() {
    const auto source = source_;
    auto slot = asio::get_associated_cancellation_slot(*handler_);
    if (slot.is_connected()) {
      slot.assign([weak = this->weak_from_this()](asio::cancellation_type type) {
        const auto self = weak.lock();
        if (!self || type == asio::cancellation_type::none) return;
        self->cancelled_ = true;
        self->on_ready();
      });
    }
    source->wait([self = this->shared_from_this()] { self->on_ready(); });
  }

 private:
  using Work = asio::executor_work_guard<asio::associated_executor_t<Handler, LoopExecutor>>;

  void on_ready() {
    if (told_.exchange(true)) return;
    asio::post(work_.get_executor(), [self = this->shared_from_this()] { self->complete(); });
  }

  // Slots are emitted on the executor that this runs on.
  void complete() {
    asio::get_associated_cancellation_slot(*handler_).clear();
    auto handler = std::move(*handler_);
    handler_.reset();
    const auto work = std::move(work_);
    const auto source = std::exchange(source_, nullptr);
    if (cancelled_) {
      source->give_up();
      std::move(handler)(Result<To>{Error{Errc::cancelled, "the operation was cancelled"}});
    } else {
      std::move(handler)(convert(source->take()));
    }
  }

  Result<To> convert(Result<From> result) {
    if constexpr (std::is_same_v<To, From>) {
      return result;
    } else {
      if (!result) return result.error();
      return To{loop_, *std::move(result)};
    }
  }

  std::optional<Handler> handler_;
  const LoopExecutor loop_;
  Work work_;
  pull::SourceOf<From> source_;
  std::atomic<bool> told_{false};
  std::atomic<bool> cancelled_{false};
};

/// `begin` makes the source of the operation, which begins it.
template <class To, class From, class Token, class Begin>
auto run(const LoopExecutor& loop, Token&& token, Begin begin) {
  return asio::async_initiate<Token, void(Result<To>)>(
      [loop](auto&& handler, Begin its) {
        using Handler = std::decay_t<decltype(handler)>;
        std::make_shared<Operation<To, From, Handler>>(Handler{std::forward<decltype(handler)>(handler)}, loop, its())
            ->start();
      },
      token, std::move(begin));
}

}  // namespace detail

}  // namespace axl
