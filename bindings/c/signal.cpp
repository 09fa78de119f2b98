#include "signal.hpp"

#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#endif

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace axl::c {

namespace {

Error no_descriptor() { return {std::error_code{errno, std::generic_category()}, "no descriptor for events"}; }

}  // namespace

Result<Signal> Signal::open([[maybe_unused]] bool with_pipe) {
#if defined(__linux__)
  if (!with_pipe) {
    const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) return no_descriptor();
    return Signal{event, event};
  }
#endif
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return no_descriptor();
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  return Signal{ends[0], ends[1]};
}

Signal::Signal(Signal&& other) noexcept
    : read_{std::exchange(other.read_, -1)}, write_{std::exchange(other.write_, -1)}, set_{other.set_} {}

Signal& Signal::operator=(Signal&& other) noexcept {
  std::swap(read_, other.read_);
  std::swap(write_, other.write_);
  std::swap(set_, other.set_);
  return *this;
}

Signal::~Signal() {
  if (read_ >= 0) ::close(read_);
  if (write_ >= 0 && write_ != read_) ::close(write_);
}

void Signal::set() noexcept {
  if (write_ < 0 || std::exchange(set_, true)) return;
  constexpr std::uint64_t kOne = 1;
  while (::write(write_, &kOne, sizeof kOne) < 0 && errno == EINTR) {
  }
}

void Signal::clear() noexcept {
  if (read_ < 0 || !std::exchange(set_, false)) return;
  std::uint64_t gone = 0;
  while (::read(read_, &gone, sizeof gone) < 0 && errno == EINTR) {
  }
}

}  // namespace axl::c
