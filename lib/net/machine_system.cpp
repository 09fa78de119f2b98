#include "net/machine_system.hpp"

#include <asio/post.hpp>
#include <map>
#include <optional>
#include <utility>

#include "net/child_process.hpp"
#include "net/dialer.hpp"
#include "net/endpoint.hpp"
#include "net/timer.hpp"
#include "net/tls.hpp"
#include "net/unix_stream.hpp"

namespace axl::net {

namespace {

// The few kinds of failure that callers act upon.
Error as_dial_error(const Place& place, const Error& error) {
  const auto where = place.port == 0 ? place.host : place.host + ":" + std::to_string(place.port);
  const auto code = error.code();
  auto kind = Errc::io;
  if (code.category() == error_category()) {
    kind = static_cast<Errc>(code.value());
  } else if (code == std::errc::connection_refused) {
    kind = Errc::refused;
  } else if (code == std::errc::timed_out) {
    kind = Errc::timed_out;
  } else if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) {
    kind = Errc::not_found;
  } else if (code == std::errc::permission_denied || code == std::errc::operation_not_permitted) {
    kind = Errc::permission_denied;
  } else if (code == std::errc::host_unreachable || code == std::errc::network_unreachable ||
             code == std::errc::address_not_available) {
    kind = Errc::unreachable;
  }
  return {kind, "connect to " + where + ": " + error.text()};
}

}  // namespace

class MachineSystem::State final : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& context, Options options) : context_{context}, options_{std::move(options)} {}

  void dial(const Place& place, Duration timeout, DialHandler handler) {
    const auto id = next_id_++;
    auto& attempt = attempts_[id];
    attempt.place = place;
    attempt.handler = std::move(handler);
    attempt.timer = std::make_unique<Timer>(context_, SteadyClock{}, [this, id] {
      finish(id, Error{Errc::timed_out, "no connection within the time allowed"});
    });
    attempt.timer->arm(SteadyClock{}.now() + timeout);
    if (place.port == 0) {
      attempt.unix_dialler = std::make_unique<UnixDialer>(context_, place.host, timeout,
                                                          [this, id](auto stream) { finish(id, std::move(stream)); });
      return;
    }
    Dialer::Options dialling;
    dialling.stream = StreamOptions::for_relaying();
    dialling.overlay_too = true;  // whoever names such an address means it
    // Of several addresses the first must not use up the whole time.
    dialling.limit_per_address = address_literal(place.host) ? timeout : timeout / 2;
    if (place.tls) {
      auto tls = tls_context();
      if (!tls) return fail_later(id, tls.error());
      dialling.tls = *std::move(tls);
      dialling.server_name = place.host;
    }
    attempt.dialler =
        std::make_unique<Dialer>(context_, place.host, place.port, std::move(dialling), [this, id](auto dialled) {
          if (!dialled) return finish(id, dialled.error());
          finish(id, std::move(dialled->stream));
        });
  }

  void stop() { attempts_.clear(); }
  [[nodiscard]] std::size_t dialling() const noexcept { return attempts_.size(); }
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

 private:
  struct Attempt {
    Place place;
    DialHandler handler;
    std::unique_ptr<Timer> timer;
    std::unique_ptr<Dialer> dialler;
    std::unique_ptr<UnixDialer> unix_dialler;
  };

  void fail_later(std::uint64_t id, Error error) {
    asio::post(context_, [self = shared_from_this(), id, error = std::move(error)] { self->finish(id, error); });
  }

  void finish(std::uint64_t id, Result<std::unique_ptr<Stream>> result) {
    const auto found = attempts_.extract(id);
    if (found.empty()) return;
    const auto self = shared_from_this();  // the handler may destroy the system
    const auto& attempt = found.mapped();
    if (!result) return attempt.handler(as_dial_error(attempt.place, result.error()));
    attempt.handler(std::move(result));
  }

  // Reading the system's certificates takes a while: once, and only for those who use TLS.
  Result<TlsContext> tls_context() {
    if (!tls_) {
      auto made = TlsContext::client(options_.authorities);
      if (!made) return made.error();
      tls_ = *std::move(made);
    }
    return *tls_;
  }

  asio::io_context& context_;
  const Options options_;
  std::optional<TlsContext> tls_;  // set by the first use
  std::map<std::uint64_t, Attempt> attempts_;
  std::uint64_t next_id_ = 0;
};

MachineSystem::MachineSystem(asio::io_context& context) : MachineSystem{context, Options{}} {}
MachineSystem::MachineSystem(asio::io_context& context, Options options)
    : state_{std::make_shared<State>(context, std::move(options))} {}
MachineSystem::~MachineSystem() { state_->stop(); }

void MachineSystem::dial(const Place& place, Duration timeout, DialHandler handler) {
  state_->dial(place, timeout, std::move(handler));
}

Result<std::unique_ptr<Process>> MachineSystem::start(const ProcessOptions& options) {
  return start_process(state_->context(), options);
}

std::size_t MachineSystem::dialling() const noexcept { return state_->dialling(); }

}  // namespace axl::net
