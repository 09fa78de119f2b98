#include "net/pipe_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/defer.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "net/asio_types.hpp"
#include "net/buffer_queue.hpp"
#include "net/descriptor.hpp"
#include "net/quiet_write.hpp"

namespace axl::net {

namespace {

constexpr std::size_t kReadSize = 64UL * 1024;  // what a pipe holds
constexpr std::size_t kReadPerTurn = 256UL * 1024;
constexpr std::size_t kPieces = 64;

using PipeEnd = asio::posix::basic_stream_descriptor<Executor>;

bool make_nonblocking(int descriptor) noexcept {
  const auto flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool tries_again(int code) noexcept { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

}  // namespace

class PipeStream::Pipes final : public std::enable_shared_from_this<Pipes> {
 public:
  Pipes(asio::io_context& context, const PipeOptions& options)
      : context_{context}, options_{options}, reading_{context.get_executor()}, writing_{context.get_executor()} {}

  Result<void> take(Descriptor reading, Descriptor writing) {
    std::error_code failure;
    if (!make_nonblocking(reading.get()) || !make_nonblocking(writing.get())) {
      return system_failure({errno, std::system_category()}, "prepare pipe");
    }
    reading_.assign(reading.get(), failure);
    if (!failure) {
      static_cast<void>(reading.release());
      writing_.assign(writing.get(), failure);
    }
    if (failure) return system_failure(failure, "use pipe");
    static_cast<void>(writing.release());
    return {};
  }

  void set_handler(StreamHandler* handler) {
    handler_ = handler;
    if (handler_ != nullptr) schedule();
  }

  void write(Buffer data) {
    if (end_wanted_ || send_ended_ || data.empty()) return;
    queue_.push(std::move(data));
    undrained_ = true;
    if (queue_.bytes() > options_.low_mark) above_low_ = true;
    schedule();
  }

  [[nodiscard]] std::size_t unsent() const noexcept { return queue_.bytes(); }
  [[nodiscard]] std::size_t high_mark() const noexcept { return options_.high_mark; }
  void pause_reading() noexcept { paused_ = true; }

  void resume_reading() {
    if (std::exchange(paused_, false)) schedule();
  }

  void shutdown_send() {
    if (!std::exchange(end_wanted_, true)) schedule();
  }

  void close() {
    if (std::exchange(closing_, true)) return;
    end_wanted_ = true;
    schedule();
  }

  void abort() {
    if (closed()) return;
    error_ = Error{Errc::closed, "aborted on this side"};
    shut();
    schedule();
  }

  void detach() noexcept {
    handler_ = nullptr;
    shut();
  }

 private:
  [[nodiscard]] bool closed() const noexcept { return send_ended_ && receive_ended_; }
  [[nodiscard]] bool wants_data() const noexcept {
    return !receive_ended_ && (closing_ || (handler_ != nullptr && !paused_));
  }

  void schedule() {
    if (advancing_) {
      again_ = true;
      return;
    }
    if (std::exchange(scheduled_, true)) return;
    asio::defer(context_, [self = shared_from_this()] {
      self->scheduled_ = false;
      self->advance();
    });
  }

  void advance() {
    if (advancing_) return;
    const auto self = shared_from_this();
    advancing_ = true;
    read_some();
    write_some();
    tell_levels();
    if (closed()) {
      tell_closed();
    } else {
      wait();
    }
    advancing_ = false;
    if (std::exchange(again_, false)) schedule();
  }

  void read_some() {
    std::size_t total = 0;
    while (wants_data() && can_read_) {
      if (total >= kReadPerTurn) {
        again_ = true;
        return;
      }
      Buffer data{kReadSize};
      const auto size = ::read(reading_.native_handle(), data.data(), data.size());
      if (size > 0) {
        hand_up(data, static_cast<std::size_t>(size));
        total += static_cast<std::size_t>(size);
      } else if (size < 0 && tries_again(errno)) {
        can_read_ = errno == EINTR;
      } else {
        if (size < 0) error_ = system_failure({errno, std::system_category()}, "read from pipe");
        end_receiving();
        if (size == 0 && !closing_ && handler_ != nullptr) handler_->on_end();
      }
    }
  }

  void hand_up(Buffer& data, std::size_t size) {
    if (closing_ || handler_ == nullptr) return;
    if (size < data.size() / 4) return handler_->on_data(Buffer::copy_of(data.span().first(size)));
    data.drop_back(data.size() - size);
    handler_->on_data(std::move(data));
  }

  void write_some() {
    while (!send_ended_ && can_write_ && !queue_.empty()) {
      std::array<asio::const_buffer, kPieces> views;
      std::array<iovec, kPieces> pieces{};
      const auto count = queue_.gather(views, kReadPerTurn);
      for (std::size_t i = 0; i < count; ++i) pieces[i] = {const_cast<void*>(views[i].data()), views[i].size()};
      const auto size = quiet_writev(writing_.native_handle(), pieces.data(), static_cast<int>(count));
      if (size >= 0) {
        queue_.consume(static_cast<std::size_t>(size));
      } else if (tries_again(errno)) {
        can_write_ = errno == EINTR;
      } else {
        error_ = system_failure({errno, std::system_category()}, "write to pipe");
        undrained_ = above_low_ = false;
        end_sending();
      }
    }
    if (!send_ended_ && end_wanted_ && queue_.empty()) end_sending();
    // close(): whoever has all that we had to say is not waited for.
    if (closing_ && send_ended_) end_receiving();
  }

  void tell_levels() {
    if (above_low_ && unsent() < options_.low_mark) {
      above_low_ = false;
      if (handler_ != nullptr) handler_->on_writable();
    }
    if (undrained_ && unsent() == 0) {
      undrained_ = false;
      if (handler_ != nullptr) handler_->on_drained();
    }
  }

  void tell_closed() {
    if (handler_ == nullptr) return;
    const auto error = error_;
    std::exchange(handler_, nullptr)->on_closed(error ? &*error : nullptr);
  }

  void wait() {
    if (!can_read_ && !waits_read_ && wants_data()) {
      waits_read_ = true;
      reading_.async_wait(PipeEnd::wait_read, [self = shared_from_this()](const std::error_code&) {
        self->waits_read_ = false;
        self->can_read_ = true;
        self->advance();
      });
    }
    // Also without anything to write: a reader that has gone is heard of at the next write.
    if (!can_write_ && !waits_write_ && !send_ended_) {
      waits_write_ = true;
      writing_.async_wait(PipeEnd::wait_write, [self = shared_from_this()](const std::error_code&) {
        self->waits_write_ = false;
        self->can_write_ = true;
        self->advance();
      });
    }
    if (can_read_ && wants_data()) again_ = true;
  }

  void end_sending() noexcept {
    send_ended_ = true;
    queue_.clear();
    std::error_code ignored;
    writing_.close(ignored);
  }

  void end_receiving() noexcept {
    receive_ended_ = true;
    std::error_code ignored;
    reading_.close(ignored);
  }

  void shut() noexcept {
    end_sending();
    end_receiving();
  }

  asio::io_context& context_;
  const PipeOptions options_;
  PipeEnd reading_;
  PipeEnd writing_;
  StreamHandler* handler_ = nullptr;
  BufferQueue queue_;
  std::optional<Error> error_;

  bool paused_ = false;
  bool end_wanted_ = false;
  bool closing_ = false;  // received bytes are discarded
  bool send_ended_ = false;
  bool receive_ended_ = false;
  bool can_read_ = true;  // until the pipe says otherwise
  bool can_write_ = true;
  bool waits_read_ = false;
  bool waits_write_ = false;
  bool scheduled_ = false;
  bool advancing_ = false;
  bool again_ = false;
  bool above_low_ = false;  // on_writable is owed
  bool undrained_ = false;  // on_drained is owed
};

Result<std::unique_ptr<PipeStream>> PipeStream::adopt(asio::io_context& context, int reading, int writing,
                                                      const PipeOptions& options) {
  Descriptor in{reading};
  Descriptor out{writing};
  auto pipes = std::make_shared<Pipes>(context, options);
  if (auto taken = pipes->take(std::move(in), std::move(out)); !taken) return taken.error();
  return std::unique_ptr<PipeStream>{new PipeStream{std::move(pipes)}};
}

PipeStream::~PipeStream() { pipes_->detach(); }

void PipeStream::set_handler(StreamHandler* handler) { pipes_->set_handler(handler); }
void PipeStream::write(Buffer data) { pipes_->write(std::move(data)); }
std::size_t PipeStream::unsent() const { return pipes_->unsent(); }
std::size_t PipeStream::high_mark() const { return pipes_->high_mark(); }
void PipeStream::pause_reading() { pipes_->pause_reading(); }
void PipeStream::resume_reading() { pipes_->resume_reading(); }
void PipeStream::shutdown_send() { pipes_->shutdown_send(); }
void PipeStream::close() { pipes_->close(); }
void PipeStream::abort() { pipes_->abort(); }

}  // namespace axl::net
