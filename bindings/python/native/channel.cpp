#include "channel.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "errors.hpp"

namespace axl::python {

Channel::Channel() : descriptor_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

// Buffers that were given back after the last take() stay: there is no interpreter's lock here to release them with.
Channel::~Channel() { ::close(descriptor_); }

void Channel::push(Kind kind, std::uint64_t id, Make make) { add({kind, id, std::move(make)}, false); }
void Channel::offer(Kind kind, std::uint64_t id, Make make) { add({kind, id, std::move(make)}, true); }

void Channel::add(Event event, bool optional) {
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  if (optional && ++offered_ > kMaxOffered) return;
  events_.push_back(std::move(event));
  signal();
}

void Channel::fail(std::uint64_t id, Error error) {
  push(Kind::failed, id, [error = std::move(error)] { return exception_of(error); });
}

void Channel::give_back(const Py_buffer& view) {
  const std::lock_guard lock{mutex_};
  returned_.push_back(view);
  if (!closed_) signal();
}

void Channel::signal() {
  if (std::exchange(signalled_, true)) return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(descriptor_, &one, sizeof one));
}

nb::list Channel::take() {
  std::vector<Event> events;
  {
    const std::lock_guard lock{mutex_};
    events.swap(events_);
    offered_ = 0;
    if (std::exchange(signalled_, false)) {
      std::uint64_t count = 0;
      static_cast<void>(::read(descriptor_, &count, sizeof count));
    }
  }
  release_buffers();
  nb::list out;
  for (auto& event : events) {
    nb::object value = event.make ? event.make() : nb::none();
    out.append(nb::make_tuple(static_cast<int>(event.kind), event.id, std::move(value)));
  }
  return out;
}

void Channel::release_buffers() {
  std::vector<Py_buffer> returned;
  {
    const std::lock_guard lock{mutex_};
    returned.swap(returned_);
  }
  for (auto& view : returned) PyBuffer_Release(&view);
}

void Channel::close() {
  std::vector<Event> dropped;  // outside the lock: it may be sessions that end
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    dropped.swap(events_);
  }
}

}  // namespace axl::python
