#include "net/listener.hpp"

#include <asio/ip/v6_only.hpp>
#include <utility>

#include "net/asio_types.hpp"
#include "net/socket_setup.hpp"
#include "net/tcp_stream.hpp"
#include "net/timer.hpp"
#include "net/tls_stream.hpp"

namespace axl::net {

namespace {

constexpr Duration kPause = std::chrono::milliseconds{100};

bool passes_at_once(const std::error_code& failure) {
  return failure == asio::error::connection_aborted || failure == asio::error::interrupted ||
         failure == asio::error::try_again || failure == asio::error::would_block;
}

}  // namespace

struct Listener::State : std::enable_shared_from_this<State> {
  State(asio::io_context& with_context, Options with_options, AcceptHandler handler)
      : context{with_context},
        acceptor{with_context.get_executor()},
        options{std::move(with_options)},
        on_accept{std::move(handler)} {}

  std::error_code bind(const Endpoint& endpoint) {
    std::error_code failure;
    acceptor.open(endpoint.protocol(), failure);
    if (failure) return plain_code(failure);
    close_on_exec(acceptor.native_handle());
    acceptor.set_option(Acceptor::reuse_address{true}, failure);
    if (!failure && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only{false}, failure);
    if (!failure) acceptor.bind(endpoint, failure);
    if (!failure) acceptor.listen(Acceptor::max_listen_connections, failure);
    if (!failure) acceptor.non_blocking(true, failure);
    if (!failure) local = acceptor.local_endpoint(failure);
    if (failure) {
      std::error_code ignored;
      acceptor.close(ignored);
    }
    return plain_code(failure);
  }

  void accept_next() {
    acceptor.async_accept(context.get_executor(),
                          [self = shared_from_this()](const std::error_code& failure, Socket socket) {
                            if (!self->open) return;
                            if (failure) return self->on_failure(failure);
                            self->troubled = false;
                            self->hand_out(std::move(socket));
                            if (self->open) self->accept_next();
                          });
  }

  void on_failure(const std::error_code& failure) {
    if (passes_at_once(failure)) return accept_next();
    // Out of descriptors, most likely. One line in the log, however long it lasts.
    if (!std::exchange(troubled, true)) {
      options.log(LogLevel::warning, "net", "cannot accept connections on {} for now: {}", to_text(local),
                  failure.message());
    }
    if (!pause) {
      pause = std::make_unique<Timer>(context, SteadyClock{}, [weak = weak_from_this()] {
        if (const auto self = weak.lock(); self && self->open) self->accept_next();
      });
    }
    pause->arm(SteadyClock{}.now() + kPause);
  }

  void hand_out(Socket socket) {
    std::error_code failure;
    const auto peer = socket.remote_endpoint(failure);
    if (failure) return;  // gone again already
    const Endpoint remote{plain_address(peer.address()), peer.port()};
    const auto ours = socket.local_endpoint(failure);
    const auto local_text = failure ? std::string{} : to_text({plain_address(ours.address()), ours.port()});
    std::unique_ptr<Stream> stream;
    if (options.tls) {
      TlsStream::Setup setup;
      setup.handshake_deadline = SteadyClock{}.now() + options.handshake_limit;
      setup.stream = options.stream;
      stream = std::make_unique<TlsStream>(std::move(socket), *options.tls, std::move(setup));
    } else {
      stream = std::make_unique<TcpStream>(std::move(socket), options.stream);
    }
    on_accept(Accepted{std::move(stream), remote, to_text(remote), local_text});
  }

  asio::io_context& context;
  Acceptor acceptor;
  const Options options;
  const AcceptHandler on_accept;
  Endpoint local;
  std::unique_ptr<Timer> pause;
  bool open = true;
  bool troubled = false;  // the last accept failed
};

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& context, const std::string& host, std::uint16_t port,
                                                 Options options, AcceptHandler on_accept) {
  const auto shown = (host.empty() ? "[::]" : host) + ":" + std::to_string(port);
  auto address = host.empty() ? asio::ip::address{asio::ip::address_v6::any()} : asio::ip::address{};
  if (const auto literal = address_literal(host)) {
    address = *literal;
  } else if (!host.empty()) {
    std::error_code failure;
    asio::ip::tcp::resolver resolver{context};
    const auto found = resolver.resolve(host, "", failure);
    if (failure || found.empty()) return Error{Errc::not_found, "listen on " + shown + ": no address for that name"};
    address = found.begin()->endpoint().address();
  }
  std::shared_ptr<State> state;
  try {
    state = std::make_shared<State>(context, std::move(options), std::move(on_accept));
  } catch (const std::system_error& reason) {  // the loop's first socket, and no descriptor left for its reactor
    return Error{plain_code(reason.code()), "listen on " + shown + ": " + reason.what()};
  }
  auto failure = state->bind({address, port});
  // A machine without IPv6 still serves "all addresses" on IPv4.
  const auto without_ipv6 =
      failure == std::errc::address_family_not_supported || failure == std::errc::address_not_available;
  if (without_ipv6 && address == asio::ip::address{asio::ip::address_v6::any()}) {
    failure = state->bind({asio::ip::address_v4::any(), port});
  }
  if (failure) return Error{failure, "listen on " + shown + ": " + failure.message()};
  state->accept_next();
  return std::unique_ptr<Listener>{new Listener{state}};
}

Listener::~Listener() {
  state_->open = false;
  state_->pause.reset();
  std::error_code ignored;
  state_->acceptor.close(ignored);
}

const Endpoint& Listener::local() const noexcept { return state_->local; }

}  // namespace axl::net
