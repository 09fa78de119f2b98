#include "net/line_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <string>
#include <utility>

#include "net/asio_types.hpp"
#include "net/descriptor.hpp"

namespace axl::net {

class LineReader::State final : public std::enable_shared_from_this<State> {
 public:
  explicit State(asio::io_context& context) : pipe_{context.get_executor()} {}

  Result<void> take(Descriptor descriptor) {
    const auto flags = ::fcntl(descriptor.get(), F_GETFL);
    if (flags < 0 || ::fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
      return system_failure({errno, std::system_category()}, "prepare pipe");
    }
    std::error_code failure;
    pipe_.assign(descriptor.get(), failure);
    if (failure) return system_failure(failure, "use pipe");
    static_cast<void>(descriptor.release());
    return {};
  }

  void set_handler(LineHandler handler) {
    handler_ = std::make_shared<const LineHandler>(std::move(handler));
    wait();
  }

  void stop() noexcept {
    handler_ = nullptr;
    std::error_code ignored;
    pipe_.close(ignored);
  }

 private:
  void wait() {
    if (waiting_ || !handler_ || !pipe_.is_open()) return;
    waiting_ = true;
    pipe_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const std::error_code&) {
      self->waiting_ = false;
      self->read_some();
      self->wait();
    });
  }

  // One read for each wait: a process that floods its standard error gets no more than its turn.
  void read_some() {
    if (!handler_ || !pipe_.is_open()) return;
    std::array<char, kLongestLine> piece;
    const auto size = ::read(pipe_.native_handle(), piece.data(), piece.size());
    if (size > 0) return split({piece.data(), static_cast<std::size_t>(size)});
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    std::error_code ignored;
    pipe_.close(ignored);
    if (!line_.empty()) tell(std::exchange(line_, {}));
  }

  void split(std::string_view text) {
    while (!text.empty() && handler_) {
      const auto end = text.find('\n');
      const auto room = kLongestLine - line_.size();
      const auto piece = text.substr(0, std::min({end, room, text.size()}));
      line_ += piece;
      text.remove_prefix(piece.size());
      if (!text.empty() && text.front() == '\n') {
        text.remove_prefix(1);
        if (!line_.empty() && line_.back() == '\r') line_.pop_back();
        tell(std::exchange(line_, {}));
      } else if (line_.size() == kLongestLine) {
        tell(std::exchange(line_, {}));
      }
    }
  }

  void tell(const std::string& line) {
    const auto handler = handler_;
    if (handler && *handler) (*handler)(line);
  }

  asio::posix::basic_stream_descriptor<Executor> pipe_;
  std::shared_ptr<const LineHandler> handler_;
  std::string line_;  // read, not yet ended
  bool waiting_ = false;
};

Result<std::unique_ptr<LineReader>> LineReader::adopt(asio::io_context& context, int descriptor) {
  Descriptor owned{descriptor};
  auto state = std::make_shared<State>(context);
  if (auto taken = state->take(std::move(owned)); !taken) return taken.error();
  return std::unique_ptr<LineReader>{new LineReader{std::move(state)}};
}

LineReader::~LineReader() { state_->stop(); }

void LineReader::on_line(LineHandler handler) { state_->set_handler(std::move(handler)); }

}  // namespace axl::net
