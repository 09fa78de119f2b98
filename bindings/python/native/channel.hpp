// How what happens on a node's loop reaches Python: a list that the loop fills and Python empties, and a descriptor that
// is readable while there is something in it.
//
// Nothing on the loop ever takes the interpreter's lock: a busy Python program does not slow its node down, and a node can
// be stopped while that lock is held. What needs the lock, making objects and letting go of lent buffers, waits here for
// take(). Bounds: an operation is completed once, a reader or session says at most once that it has changed until it is
// heard; what peers can cause by themselves goes by offer(), which counts.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <axl/result.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace axl::python {

namespace nb = nanobind;

class Channel {
 public:
  /// As axl/_native.pyi names them.
  enum class Kind : std::uint8_t { done, failed, changed, arrived, log, event };
  /// Makes the event's value, with the interpreter's lock held. Not called when nobody listens any more.
  using Make = std::function<nb::object()>;
  static constexpr std::size_t kMaxOffered = 1'024;  // log lines and events of the node that nobody has heard

  Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] std::uint64_t next_id() noexcept { return ++last_id_; }

  // Any thread.
  void push(Kind kind, std::uint64_t id, Make make);
  /// The same, unless too much waits already: then it is dropped.
  void offer(Kind kind, std::uint64_t id, Make make);
  /// An operation has ended: with a value that `convert` makes an object of, or with an error.
  template <class T, class Convert>
  void complete(std::uint64_t id, Result<T> result, Convert convert);
  void fail(std::uint64_t id, Error error);
  /// What a lent buffer lay in is no longer used by the library.
  void give_back(const Py_buffer& view);

  // With the interpreter's lock held.
  /// What has happened since the last call, in order: (kind, id, value).
  [[nodiscard]] nb::list take();
  void release_buffers();
  void close();  ///< what comes from now on is dropped

 private:
  struct Event {
    Kind kind{};
    std::uint64_t id = 0;
    Make make;
  };
  void add(Event event, bool optional);
  void signal();

  int descriptor_ = -1;
  std::atomic<std::uint64_t> last_id_{0};
  std::mutex mutex_;
  std::vector<Event> events_;
  std::vector<Py_buffer> returned_;
  std::size_t offered_ = 0;
  bool signalled_ = false;
  bool closed_ = false;
};

template <class T, class Convert>
void Channel::complete(std::uint64_t id, Result<T> result, Convert convert) {
  if (!result) return fail(id, result.error());
  if constexpr (std::is_void_v<T>) {
    push(Kind::done, id, [convert] { return convert(); });
  } else {
    push(Kind::done, id, [value = std::move(*result), convert]() mutable { return convert(std::move(value)); });
  }
}

}  // namespace axl::python
