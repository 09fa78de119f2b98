#include "net/dialer.hpp"

#include <asio/post.hpp>
#include <utility>
#include <vector>

#include "net/asio_types.hpp"
#include "net/name_lookup.hpp"
#include "net/source_interface.hpp"
#include "net/tcp_stream.hpp"
#include "net/timer.hpp"
#include "net/tls_stream.hpp"

namespace axl::net {

class Dialer::Attempt final : public std::enable_shared_from_this<Attempt>, private StreamHandler {
 public:
  Attempt(asio::io_context& context, std::string host, std::uint16_t port, Options options, Done done)
      : context_{context},
        host_{std::move(host)},
        port_{port},
        options_{std::move(options)},
        done_{std::move(done)},
        timer_{context, SteadyClock{}, [this] { on_timer(); }} {}

  void start() {
    if (const auto literal = address_literal(host_)) {
      asio::post(context_, [self = shared_from_this(), address = *literal] { self->on_addresses({address}); });
      return;
    }
    lookup_ = std::make_unique<NameLookup>(context_, host_, [this](Result<std::vector<asio::ip::address>> found) {
      const auto self = shared_from_this();
      if (!found) return finish(found.error());
      on_addresses(*std::move(found));
    });
  }

  void cancel() {
    done_ = nullptr;
    stop();
  }

 private:
  void on_addresses(std::vector<asio::ip::address> found) {
    if (!done_) return;
    for (const auto& address : found) {
      if (may_dial(address, options_.overlay_too)) addresses_.push_back(address);
    }
    try_next();
  }

  void try_next() {
    stop();
    if (next_ == addresses_.size()) return finish(error_);
    auto address = addresses_[next_++];
    std::error_code failure;
    socket_.emplace(context_.get_executor());
    socket_->open(address.is_v4() ? asio::ip::tcp::v4() : asio::ip::tcp::v6(), failure);
    if (failure) return on_failure(Error{plain_code(failure), failure.message()});
    if (!options_.source_interface.empty()) {
      if (auto bound = bind_to_interface(*socket_, options_.source_interface, address); !bound) {
        return on_failure(bound.error());
      }
    }
    remote_ = {address, port_};
    deadline_ = SteadyClock{}.now() + options_.limit_per_address;
    timer_.arm(deadline_);
    socket_->async_connect(remote_, [self = shared_from_this(), round = round_](const std::error_code& result) {
      if (!self->done_ || round != self->round_) return;
      if (result) return self->on_failure(Error{plain_code(result), result.message()});
      self->on_connected();
    });
  }

  void on_connected() {
    timer_.disarm();
    std::error_code gone;
    const auto local = socket_->local_endpoint(gone);
    if (!gone) local_text_ = to_text({plain_address(local.address()), local.port()});
    if (!options_.tls) {
      auto stream = std::make_unique<TcpStream>(*std::exchange(socket_, std::nullopt), options_.stream);
      return finish(Dialed{std::move(stream), remote_, to_text(remote_), local_text_, std::nullopt});
    }
    TlsStream::Setup setup;
    setup.server_name = options_.server_name;
    setup.handshake_deadline = deadline_;
    setup.stream = options_.stream;
    setup.on_open = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->on_secured();
    };
    stream_ = std::make_unique<TlsStream>(*std::exchange(socket_, std::nullopt), *options_.tls, std::move(setup));
    stream_->set_handler(this);
  }

  void on_secured() {
    stream_->set_handler(nullptr);
    const auto key = stream_->peer_key();
    finish(Dialed{std::move(stream_), remote_, to_text(remote_), local_text_, key});
  }

  void on_timer() {
    const auto self = shared_from_this();
    on_failure(Error{Errc::timed_out, "no connection within the time allowed"});
  }

  void on_failure(const Error& error) {
    error_ = Error{error.code(), "dial " + to_text({addresses_[next_ - 1], port_}) + ": " + error.text()};
    if (next_ == addresses_.size()) return finish(error_);
    // Not from here: a long list of addresses that fail at once must not become a deep stack.
    stop();
    asio::post(context_, [self = shared_from_this()] {
      if (self->done_) self->try_next();
    });
  }

  void finish(Result<Dialed> result) {
    stop();
    if (const auto call = std::exchange(done_, nullptr)) call(std::move(result));
  }

  void stop() {
    ++round_;
    timer_.disarm();
    lookup_.reset();
    stream_.reset();
    socket_.reset();
  }

  // The TLS handshake: only its failure comes this way.
  void on_data(Buffer /*data*/) override {}
  void on_end() override {}
  void on_closed(const Error* error) override {
    const auto self = shared_from_this();
    on_failure(error != nullptr ? *error : Error{Errc::closed, "closed during the TLS handshake"});
  }

  asio::io_context& context_;
  const std::string host_;
  const std::uint16_t port_;
  const Options options_;
  Done done_;  // empty once called or cancelled
  Timer timer_;
  std::unique_ptr<NameLookup> lookup_;
  std::vector<asio::ip::address> addresses_;
  std::size_t next_ = 0;
  std::uint64_t round_ = 0;  // tells the connect under way from those given up
  Endpoint remote_;
  std::string local_text_;
  Time deadline_;
  std::optional<Socket> socket_;
  std::unique_ptr<TlsStream> stream_;
  Error error_{Errc::unreachable, "peer has no suitable addresses"};
};

Dialer::Dialer(asio::io_context& context, std::string host, std::uint16_t port, Options options, Done done)
    : attempt_{std::make_shared<Attempt>(context, std::move(host), port, std::move(options), std::move(done))} {
  attempt_->start();
}

Dialer::~Dialer() { attempt_->cancel(); }

}  // namespace axl::net
