#include "net/unix_listener.hpp"

#include <sys/stat.h>

#include <asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <utility>

#include "net/asio_types.hpp"
#include "net/descriptor.hpp"
#include "net/timer.hpp"
#include "net/unix_address.hpp"
#include "net/unix_stream.hpp"

namespace axl::net {

namespace {

constexpr Duration kPause = std::chrono::milliseconds{100};
constexpr int kAcceptsPerTurn = 16;
constexpr mode_t kOnlyOurs = S_IRUSR | S_IWUSR;

Error failure_of(const std::string& path, int code) {
  const std::error_code failure{code, std::system_category()};
  return {failure, "listen on " + path + ": " + failure.message()};
}

// Removes what a dead server left at the path.
Result<void> make_room(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? Result<void>{} : failure_of(path, errno);
  }
  if (!S_ISSOCK(found.st_mode)) return Error{Errc::already_exists, "listen on " + path + ": a file that is no socket"};
  const Descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!probe.open()) return failure_of(path, errno);
  if (connect_unix(probe.get(), address) == 0 || errno == EAGAIN) {
    return Error{Errc::already_exists, "listen on " + path + ": another server listens there"};
  }
  if (errno != ECONNREFUSED) return failure_of(path, errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failure_of(path, errno);
  return {};
}

}  // namespace

struct UnixListener::State : std::enable_shared_from_this<State> {
  State(asio::io_context& with_context, std::string at, Options with_options, AcceptHandler handler)
      : context{with_context},
        path{std::move(at)},
        options{std::move(with_options)},
        on_accept{std::move(handler)},
        socket{with_context.get_executor()} {}

  Result<void> bind() {
    const auto address = unix_address(path);
    if (!address) return address.error();
    if (auto free = make_room(path, *address); !free) return free;
    Descriptor made{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    // The mode of the socket becomes that of the file, so there is no moment at which others could connect. Changing
    // it afterwards too is for systems that do not do so.
    const auto bound = made.open() && ::fchmod(made.get(), kOnlyOurs) == 0 &&
                       ::bind(made.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) == 0;
    if (!bound) return failure_of(path, errno);
    struct stat file {};
    if (::chmod(path.c_str(), kOnlyOurs) != 0 || ::lstat(path.c_str(), &file) != 0 ||
        ::listen(made.get(), SOMAXCONN) != 0) {
      const auto code = errno;
      ::unlink(path.c_str());
      return failure_of(path, code);
    }
    device = file.st_dev;
    inode = file.st_ino;
    owns_file = true;
    std::error_code failure;
    socket.assign(made.get(), failure);
    if (failure) return system_failure(failure, "listen on " + path);
    static_cast<void>(made.release());
    return {};
  }

  void remove_file() const {
    struct stat file {};
    if (!owns_file || ::lstat(path.c_str(), &file) != 0) return;
    if (file.st_dev == device && file.st_ino == inode) ::unlink(path.c_str());
  }

  void wait() {
    socket.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const std::error_code&) {
      if (self->open) self->accept_some();
    });
  }

  void accept_some() {
    for (int count = 0; open && count < kAcceptsPerTurn; ++count) {
      const auto descriptor = ::accept4(socket.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (descriptor < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno != EAGAIN) return rest(errno);
        break;
      }
      troubled = false;
      auto stream = UnixStream::adopt(context, descriptor, options.stream);
      if (stream) on_accept(*std::move(stream));
    }
    if (open) wait();
  }

  // Out of descriptors, most likely. One line in the log, however long it lasts.
  void rest(int code) {
    if (!std::exchange(troubled, true)) {
      options.log(LogLevel::warning, "net", "cannot accept connections on {} for now: {}", path,
                  std::error_code{code, std::system_category()}.message());
    }
    if (!pause) {
      pause = std::make_unique<Timer>(context, SteadyClock{}, [weak = weak_from_this()] {
        if (const auto self = weak.lock(); self && self->open) self->accept_some();
      });
    }
    pause->arm(SteadyClock{}.now() + kPause);
  }

  asio::io_context& context;
  const std::string path;
  const Options options;
  const AcceptHandler on_accept;
  asio::posix::basic_stream_descriptor<Executor> socket;
  std::unique_ptr<Timer> pause;
  dev_t device{};
  ino_t inode{};
  bool owns_file = false;
  bool open = true;
  bool troubled = false;  // the last accept failed
};

Result<std::unique_ptr<UnixListener>> UnixListener::open(asio::io_context& context, const std::string& path,
                                                         Options options, AcceptHandler on_accept) {
  std::shared_ptr<State> state;
  try {
    state = std::make_shared<State>(context, path, std::move(options), std::move(on_accept));
  } catch (const std::system_error& reason) {  // the loop's first descriptor, and none left for its reactor
    return Error{plain_code(reason.code()), "listen on " + path + ": " + reason.what()};
  }
  if (auto bound = state->bind(); !bound) {
    state->remove_file();
    return bound.error();
  }
  state->wait();
  return std::unique_ptr<UnixListener>{new UnixListener{state}};
}

UnixListener::~UnixListener() {
  state_->open = false;
  state_->pause.reset();
  std::error_code ignored;
  state_->socket.close(ignored);
  state_->remove_file();
}

const std::string& UnixListener::path() const noexcept { return state_->path; }

}  // namespace axl::net
