// Two streams joined end to end, in memory: what one end writes the other receives, in pieces of any size.
//
// Nothing moves before run() or step(), so a test decides when, and no stream calls its handler inside a call of its
// own. The seed decides where the bytes are cut; a maximum of 1 gives them one by one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "core/executor.hpp"
#include "core/stream.hpp"

namespace axl::test {

/// Tasks posted to the loop of a test; run by it.
class TestExecutor final : public Executor {
 public:
  void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  [[nodiscard]] bool on_loop() const noexcept override { return true; }
  /// True if there was one.
  bool run_one() {
    if (tasks_.empty()) return false;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    return true;
  }

 private:
  std::deque<std::function<void()>> tasks_;
};

class Pipe {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::size_t max_piece = 64 * 1024;  ///< at most this much is delivered at once
    std::size_t high_mark = 64 * 1024;
    std::size_t low_mark = 16 * 1024;
    std::size_t window = 1024 * 1024;  ///< what has left an end before the other takes it
  };

  explicit Pipe(Options options) : core_{std::make_shared<Core>(options)} {}
  Pipe() : Pipe(Options{}) {}

  /// Each end once.
  std::unique_ptr<Stream> first() { return std::make_unique<End>(core_, 0); }
  std::unique_ptr<Stream> second() { return std::make_unique<End>(core_, 1); }

  /// Delivers one thing. False if nothing can move.
  bool step() { return core_->step(); }
  void run() {
    const auto core = core_;
    while (core->step()) {
    }
  }
  /// As if the network had reset the connection.
  void break_off() { core_->reset(); }
  /// Bytes written by that end (0: first) that have not been delivered.
  [[nodiscard]] std::size_t in_flight(int end) const { return core_->sides[static_cast<std::size_t>(end)].unsent; }

 private:
  struct Side {
    StreamHandler* handler = nullptr;
    bool alive = false;  // its Stream object exists
    bool paused = false;
    bool ending = false;    // shutdown_send or close has been called
    bool end_told = false;  // the other end has heard it
    bool closing = false;   // close has been called
    bool closed_told = false;
    bool was_full = false;
    bool drain_due = false;
    std::deque<Buffer> queue;  // written here, to be delivered there
    std::size_t unsent = 0;
    std::uint64_t delivered = 0;
  };

  struct Core {
    explicit Core(Options o) : options{o}, random{o.seed} {}
    Options options;
    std::mt19937_64 random;
    std::array<Side, 2> sides;
    bool broken = false;

    void reset() { broken = true; }

    bool step() {
      const auto start = random() % 2;
      return move(start) || move(1 - start);
    }

    bool move(std::size_t index) {
      auto& from = sides[index];
      auto& to = sides[1 - index];
      if (broken) {
        from.queue.clear();
        if (!from.alive || from.closed_told || from.handler == nullptr) return false;
        from.closed_told = true;
        const Error error{Errc::io, "connection reset"};
        from.handler->on_closed(&error);
        return true;
      }
      if (!from.queue.empty()) {
        const bool ready = to.alive && !to.closing && !to.paused && to.handler != nullptr;
        if (!ready && to.alive && !to.closing) return false;
        auto piece = next_piece(from);
        from.unsent -= piece.size();
        from.delivered += piece.size();
        from.drain_due = from.unsent == 0;
        if (ready) to.handler->on_data(std::move(piece));
        return true;
      }
      if (from.was_full && from.unsent <= options.low_mark && from.alive && from.handler != nullptr) {
        from.was_full = false;
        from.handler->on_writable();
        return true;
      }
      if (from.drain_due && from.alive && from.handler != nullptr) {
        from.drain_due = false;
        from.handler->on_drained();
        return true;
      }
      if (from.ending && !from.end_told && to.handler != nullptr && to.alive && !to.paused) {
        from.end_told = true;
        if (!to.closing) to.handler->on_end();
        return true;
      }
      const bool both_ended = from.ending && (to.end_told || to.closed_told || !to.alive);
      if (from.alive && !from.closed_told && from.handler != nullptr && (from.closing || both_ended) && from.end_told) {
        from.closed_told = true;
        from.handler->on_closed(nullptr);
        return true;
      }
      return false;
    }

    Buffer next_piece(Side& from) {
      const auto size = 1 + random() % options.max_piece;
      auto& front = from.queue.front();
      if (front.size() <= size) {
        auto piece = std::move(front);
        from.queue.pop_front();
        return piece;
      }
      auto piece = Buffer::copy_of(front.span().first(size));
      front.drop_front(size);
      return piece;
    }
  };

  class End final : public Stream {
   public:
    End(std::shared_ptr<Core> core, std::size_t index) : core_{std::move(core)}, index_{index} { side().alive = true; }
    ~End() override {
      side().handler = nullptr;
      abort();
      side().alive = false;
    }

    void set_handler(StreamHandler* handler) override { side().handler = handler; }
    void write(Buffer data) override {
      auto& me = side();
      if (me.ending || me.closed_told || data.empty()) return;
      me.unsent += data.size();
      me.was_full = me.was_full || me.unsent > core_->options.high_mark;
      me.queue.push_back(std::move(data));
    }
    [[nodiscard]] std::size_t unsent() const override {
      return core_->broken ? 0 : core_->sides[index_].unsent;  // as the real ones: what is lost is not unsent
    }
    [[nodiscard]] std::optional<std::uint64_t> begun() const override {
      const auto& me = core_->sides[index_];
      return me.delivered + std::min(me.unsent, core_->options.window);
    }
    [[nodiscard]] std::size_t high_mark() const override { return core_->options.high_mark; }
    void pause_reading() override { side().paused = true; }
    void resume_reading() override { side().paused = false; }
    void shutdown_send() override { side().ending = true; }
    void close() override { side().ending = side().closing = true; }
    void abort() override {
      if (side().closed_told) return;
      side().closed_told = true;
      core_->reset();
    }

   private:
    Side& side() { return core_->sides[index_]; }
    std::shared_ptr<Core> core_;
    std::size_t index_;
  };

  std::shared_ptr<Core> core_;
};

}  // namespace axl::test
