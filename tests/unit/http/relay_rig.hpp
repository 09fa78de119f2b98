// A client, a relay and a server behind it, all real and joined by pipes, in virtual time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "http/client_pool.hpp"
#include "http/pipe.hpp"
#include "http/relay.hpp"
#include "http/server.hpp"
#include "pipe_stream.hpp"

namespace axl::test {

using namespace std::chrono_literals;

class VirtualLoop final : public Scheduler {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override {
    return std::make_unique<LoopTimer>(*this, std::move(fire));
  }
  [[nodiscard]] TestExecutor& executor() override { return executor_; }
  [[nodiscard]] Rng& rng() override { return rng_; }
  [[nodiscard]] std::size_t timers() const noexcept { return timers_.size(); }

  void run() {
    while (executor_.run_one()) {
    }
  }
  void advance(Duration by) {
    const auto end = now_ + by;
    run();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = std::max(now_, timers_.begin()->first.first);
      const auto fire = *timers_.begin()->second;
      timers_.erase(timers_.begin());
      fire();
      run();
    }
    now_ = end;
  }

 private:
  class LoopTimer final : public Timer {
   public:
    LoopTimer(VirtualLoop& loop, std::function<void()> fire) : loop_{loop}, fire_{std::move(fire)} {}
    ~LoopTimer() override { LoopTimer::cancel(); }
    void arm(Time at) override {
      cancel();
      key_ = {at, ++loop_.next_};
      loop_.timers_.emplace(key_, &fire_);
    }
    void cancel() override { loop_.timers_.erase(key_); }

   private:
    VirtualLoop& loop_;
    std::function<void()> fire_;
    std::pair<Time, std::uint64_t> key_{};
  };
  class SeededRng final : public Rng {
   public:
    void fill(MutableByteSpan out) override {
      for (auto& byte : out) byte = static_cast<std::byte>(random_());
    }

   private:
    std::mt19937_64 random_{1};
  };

  Time now_{std::chrono::hours{1}};
  TestExecutor executor_;
  SeededRng rng_;
  std::map<std::pair<Time, std::uint64_t>, const std::function<void()>*> timers_;
  std::uint64_t next_ = 0;
};

/// Raw bytes on one stream.
class RawEnd final : public StreamHandler {
 public:
  explicit RawEnd(std::unique_ptr<Stream> of) : stream{std::move(of)} { stream->set_handler(this); }

  void send(std::string_view text) { stream->write(Buffer::copy_of(as_bytes(text))); }
  std::string take() { return std::exchange(received, {}); }

  void on_data(Buffer data) override {
    total += data.size();
    if (keep) received += as_text(data);
  }
  void on_end() override { ended = true; }
  void on_closed(const Error* error) override {
    closed = true;
    cut = error != nullptr;
  }

  std::unique_ptr<Stream> stream;
  std::string received;
  std::size_t total = 0;
  bool keep = true;
  bool ended = false;
  bool closed = false;
  bool cut = false;
};

class RelayRig {
 public:
  /// What the relay asks; a test replaces what it cares for.
  struct Hooks {
    std::function<std::optional<std::size_t>(const http::ResponseHead&, http::Headers&)> on_response;
    std::function<Buffer(http::Headers&, Buffer)> on_body;
    std::function<void(http::Exchange, const Error&, http::Delivery, bool)> on_failed;
  };

  explicit RelayRig(http::RequestHandler backend, http::RelayLimits relay_limits = {}, std::size_t pipe_mark = 65'536)
      : mark{pipe_mark}, limits{relay_limits}, back{{}, loop.executor(), std::move(backend)} {
    pool = std::make_shared<http::ClientPool>(
        [this](Duration, http::StreamDialHandler done) {
          ++dials;
          loop.executor().post([this, done = std::move(done)] { done(connect_back()); });
        },
        http::PoolLimits{}, loop);
  }

  RawEnd& connect() {
    auto [ours, theirs] = http::make_pipe(loop.executor(), mark);
    front.accept(std::move(theirs), {}, loop.now());
    return *clients.emplace_back(std::make_unique<RawEnd>(std::move(ours)));
  }
  std::string ask(std::string_view text) {
    auto& client = connect();
    client.send(text);
    loop.run();
    return client.take();
  }

  std::size_t mark;
  http::RelayLimits limits;
  VirtualLoop loop;
  std::vector<std::unique_ptr<RawEnd>> clients;
  std::vector<std::unique_ptr<RawEnd>> by_hand;  // the server's ends, if a test plays it itself
  bool plays_server = false;
  std::optional<Error> dial_error;
  int dials = 0;
  int wholes = 0;
  int cuts = 0;
  int failures = 0;
  std::optional<http::Delivery> delivery;
  Hooks hooks;
  http::Server back;
  std::shared_ptr<http::ClientPool> pool;
  std::unique_ptr<http::Relays> relays = std::make_unique<http::Relays>(loop);
  http::Server front{{}, loop.executor(), [this](http::Exchange exchange) { carry(std::move(exchange)); }};

 private:
  class Events final : public http::RelayEvents {
   public:
    explicit Events(RelayRig& rig) : rig_{rig} {}
    std::optional<std::size_t> on_response(const http::ResponseHead& head, http::Headers& headers) override {
      return rig_.hooks.on_response ? rig_.hooks.on_response(head, headers) : std::nullopt;
    }
    Buffer on_body(http::Headers& headers, Buffer body) override {
      return rig_.hooks.on_body ? rig_.hooks.on_body(headers, std::move(body)) : std::move(body);
    }
    void on_failed(http::Exchange exchange, const Error& error, http::Delivery how, bool untouched) override {
      ++rig_.failures;
      rig_.delivery = how;
      if (rig_.hooks.on_failed) return rig_.hooks.on_failed(std::move(exchange), error, how, untouched);
      exchange.respond_error(error.is(Errc::timed_out) ? 504 : 502, error.text());
    }
    void on_end(bool whole) override { ++(whole ? rig_.wholes : rig_.cuts); }

   private:
    RelayRig& rig_;
  };

  void carry(http::Exchange exchange) {
    http::RelayRequest request{exchange.request().method, exchange.request().target.text(), exchange.request().headers};
    relays->carry(std::move(exchange), pool, std::move(request), limits, std::make_unique<Events>(*this));
  }
  Result<std::unique_ptr<Stream>> connect_back() {
    if (dial_error) return *dial_error;
    auto [ours, theirs] = http::make_pipe(loop.executor(), mark);
    if (plays_server) {
      by_hand.push_back(std::make_unique<RawEnd>(std::move(theirs)));
    } else {
      back.accept(std::move(theirs), {}, loop.now());
    }
    return std::move(ours);
  }
};

}  // namespace axl::test
