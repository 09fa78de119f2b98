#include "net/unix_stream.hpp"

#include <asio/post.hpp>
#include <cerrno>
#include <utility>

#include "net/descriptor.hpp"
#include "net/unix_address.hpp"

namespace axl::net {

namespace {

constexpr Duration kRetry = std::chrono::milliseconds{20};

Error failure_of(const std::string& path, int code) {
  const std::error_code failure{code, std::system_category()};
  return {failure, "connect to " + path + ": " + failure.message()};
}

}  // namespace

UnixStream::UnixStream(Socket socket, const StreamOptions& options)
    : SocketStream{std::move(socket), make_plain_transport(), options} {
  connection().start(std::nullopt, nullptr);
}

Result<std::unique_ptr<Stream>> UnixStream::adopt(asio::io_context& context, int descriptor,
                                                  const StreamOptions& options) {
  Descriptor owned{descriptor};
  Socket socket{context.get_executor()};
  std::error_code failure;
  // The protocol is what Asio would open by itself; nothing that we use of the socket depends on it.
  socket.assign(asio::ip::tcp::v4(), owned.get(), failure);
  if (failure) return system_failure(failure, "use Unix socket");
  static_cast<void>(owned.release());
  return std::unique_ptr<Stream>{new UnixStream{std::move(socket), options}};
}

class UnixDialer::Attempt final : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(asio::io_context& context, std::string path, Duration timeout, Done done)
      : context_{context},
        path_{std::move(path)},
        deadline_{SteadyClock{}.now() + timeout},
        done_{std::move(done)},
        timer_{context, SteadyClock{}, [this] { attempt(); }} {}

  void start() {
    asio::post(context_, [self = shared_from_this()] { self->attempt(); });
  }

  void cancel() {
    done_ = nullptr;
    timer_.disarm();
  }

 private:
  // Connecting to a Unix socket never waits: it works or fails at once, also when the server's queue is full.
  void attempt() {
    if (!done_) return;
    const auto self = shared_from_this();
    const auto address = unix_address(path_);
    if (!address) return finish(address.error());
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket.open()) return finish(failure_of(path_, errno));
    if (connect_unix(socket.get(), *address) == 0) {
      return finish(UnixStream::adopt(context_, socket.release(), StreamOptions::for_relaying()));
    }
    if (errno != EAGAIN && errno != EINTR) return finish(failure_of(path_, errno));
    const auto now = SteadyClock{}.now();
    if (now >= deadline_) return finish(Error{Errc::timed_out, "connect to " + path_ + ": timed out"});
    timer_.arm(now + kRetry);
  }

  void finish(Result<std::unique_ptr<Stream>> result) {
    if (const auto call = std::exchange(done_, nullptr)) call(std::move(result));
  }

  asio::io_context& context_;
  const std::string path_;
  const Time deadline_;
  Done done_;  // empty once called or cancelled
  Timer timer_;
};

UnixDialer::UnixDialer(asio::io_context& context, const std::string& path, Duration timeout, Done done)
    : attempt_{std::make_shared<Attempt>(context, path, timeout, std::move(done))} {
  attempt_->start();
}

UnixDialer::~UnixDialer() { attempt_->cancel(); }

}  // namespace axl::net
