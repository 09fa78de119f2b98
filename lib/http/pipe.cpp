#include "http/pipe.hpp"

#include <array>
#include <deque>

namespace axl::http {

namespace {

constexpr int kStepsPerTurn = 64;  // then the loop's other work has its turn

// One end, and what it has written for the other.
struct Side {
  StreamHandler* handler = nullptr;
  std::deque<Buffer> queue;
  std::size_t unsent = 0;  // bytes in `queue`
  bool alive = true;       // its Stream exists
  bool paused = false;
  bool ending = false;     // writes no more
  bool closing = false;    // close() was called: reads no more either
  bool broken = false;     // cut; on_closed() is owed
  bool over = false;       // nothing more is owed
  bool end_heard = false;  // by the other end, or the other end hears nothing
  bool was_full = false;   // on_writable() is owed
  bool drained = false;    // on_drained() is owed

  [[nodiscard]] bool deaf() const noexcept { return !alive || closing || broken || over; }
  void drop_queue() noexcept {
    queue.clear();
    unsent = 0;
    was_full = drained = false;
  }
};

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Executor& executor, std::size_t high_mark) : executor_{executor}, high_mark_{high_mark} {}

  [[nodiscard]] Side& side(std::size_t index) noexcept { return sides_[index]; }
  [[nodiscard]] std::size_t high_mark() const noexcept { return high_mark_; }

  void wake() {
    if (posted_ || running_) return;
    posted_ = true;
    executor_.post([self = shared_from_this()] { self->run(); });
  }

  void break_off() {
    for (auto& side : sides_) {
      side.broken = true;
      side.drop_queue();
    }
    wake();
  }

 private:
  void run() {
    posted_ = false;
    running_ = true;
    int steps = 0;
    for (bool moved = true; moved && steps < kStepsPerTurn; ++steps) {
      moved = step(sides_[0], sides_[1]);
      moved = step(sides_[1], sides_[0]) || moved;
    }
    running_ = false;
    if (steps == kStepsPerTurn) wake();
  }

  // One thing about what `from` writes, or hears of its writing. True if something has happened.
  bool step(Side& from, Side& to) {
    if (from.broken) return tell_broken(from);
    if (!from.queue.empty()) {
      if (to.deaf()) {
        from.drop_queue();
        // As a socket whose other end is closed: who has heard of that and writes on is cut.
        if (to.end_heard) from.broken = true;
        return true;
      }
      if (!to.paused && to.handler != nullptr) {
        deliver(from, *to.handler);
        return true;
      }
    }
    if (from.handler != nullptr && from.was_full && from.unsent <= high_mark_ / 4) {
      from.was_full = false;
      from.handler->on_writable();
      return true;
    }
    if (from.handler != nullptr && from.drained && from.unsent == 0) {
      from.drained = false;
      from.handler->on_drained();
      return true;
    }
    return step_end(from, to);
  }

  void deliver(Side& from, StreamHandler& reader) {
    auto piece = std::move(from.queue.front());
    from.queue.pop_front();
    from.unsent -= piece.size();
    from.drained = from.unsent == 0;
    reader.on_data(std::move(piece));
  }

  static bool tell_broken(Side& side) {
    if (side.over || side.handler == nullptr) return false;
    side.over = true;
    const Error error{Errc::closed, "the other end was cut"};
    std::exchange(side.handler, nullptr)->on_closed(&error);
    return true;
  }

  bool step_end(Side& from, Side& to) {
    if (!from.ending || !from.queue.empty()) return false;
    if (!from.end_heard) {
      if (!to.deaf() && (to.paused || to.handler == nullptr)) return false;
      from.end_heard = true;
      if (!to.deaf()) to.handler->on_end();
      return true;
    }
    if (from.over || from.handler == nullptr || !(from.closing || to.end_heard || to.deaf())) return false;
    from.over = true;
    std::exchange(from.handler, nullptr)->on_closed(nullptr);
    return true;
  }

  Executor& executor_;
  const std::size_t high_mark_;
  std::array<Side, 2> sides_;
  bool posted_ = false;
  bool running_ = false;
};

class End final : public Stream {
 public:
  End(std::shared_ptr<Core> core, std::size_t index) : core_{std::move(core)}, index_{index} {}
  ~End() override {
    auto& me = side();
    me.handler = nullptr;
    me.alive = false;
    if (!me.closing && !me.broken && !me.over) core_->break_off();
  }

  void set_handler(StreamHandler* handler) override {
    side().handler = side().over ? nullptr : handler;
    if (handler != nullptr) core_->wake();
  }
  void write(Buffer data) override {
    auto& me = side();
    if (me.ending || me.broken || me.over || data.empty()) return;
    me.unsent += data.size();
    me.was_full = me.was_full || me.unsent > core_->high_mark();
    me.queue.push_back(std::move(data));
    core_->wake();
  }
  [[nodiscard]] std::size_t unsent() const override { return core_->side(index_).unsent; }
  [[nodiscard]] std::size_t high_mark() const override { return core_->high_mark(); }
  void pause_reading() override { side().paused = true; }
  void resume_reading() override {
    side().paused = false;
    core_->wake();
  }
  void shutdown_send() override {
    side().ending = true;
    core_->wake();
  }
  void close() override {
    side().ending = side().closing = true;
    core_->wake();
  }
  void abort() override {
    if (!side().broken && !side().over) core_->break_off();
  }

 private:
  [[nodiscard]] Side& side() const noexcept { return core_->side(index_); }

  std::shared_ptr<Core> core_;
  std::size_t index_;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Executor& executor, std::size_t high_mark) {
  auto core = std::make_shared<Core>(executor, high_mark);
  return {std::make_unique<End>(core, 0), std::make_unique<End>(core, 1)};
}

}  // namespace axl::http
