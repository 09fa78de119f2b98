// Two relays one after the other, as across two nodes.
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "relay_rig.hpp"

using namespace axl;
using namespace axl::test;
using http::ClientConnection;
using http::Exchange;

namespace {

class Chain {
 public:
  explicit Chain(http::RequestHandler last_handler, std::size_t mark = 65'536)
      : rig{[this](Exchange exchange) { carry(std::move(exchange)); }, {}, mark},
        last{{}, rig.loop.executor(), std::move(last_handler)},
        relays{rig.loop},
        pool{std::make_shared<http::ClientPool>(
            [this, mark](Duration, http::StreamDialHandler done) {
              rig.loop.executor().post([this, mark, done = std::move(done)] {
                auto [ours, theirs] = http::make_pipe(rig.loop.executor(), mark);
                last.accept(std::move(theirs), {}, rig.loop.now());
                done(std::move(ours));
              });
            },
            http::PoolLimits{}, rig.loop)} {}

  RelayRig rig;
  http::Server last;
  http::Relays relays;
  std::shared_ptr<http::ClientPool> pool;

 private:
  class Events final : public http::RelayEvents {
    void on_failed(Exchange exchange, const Error& error, http::Delivery /*how*/, bool /*untouched*/) override {
      exchange.respond_error(502, error.text());
    }
  };
  void carry(Exchange exchange) {
    http::RelayRequest request{exchange.request().method, exchange.request().target.text(), exchange.request().headers};
    relays.carry(std::move(exchange), pool, std::move(request), {}, std::make_unique<Events>());
  }
};

Buffer pattern(std::size_t size, std::uint64_t seed) {
  Buffer out{size};
  for (std::size_t i = 0; i < size; ++i) out.data()[i] = static_cast<std::byte>(seed + i * 7 + i / 251);
  return out;
}

// `text` is what pattern() puts at `offset`.
bool matches(std::string_view text, std::uint64_t seed, std::size_t offset = 0) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = offset + i;
    if (static_cast<std::byte>(text[i]) != static_cast<std::byte>(seed + at * 7 + at / 251)) return false;
  }
  return true;
}

// Answers in random pieces; now and then it breaks off, or does not wait for the request's end.
class Server final : public http::ExchangeEvents {
 public:
  Server(Exchange exchange, std::uint64_t seed) : exchange_{std::move(exchange)}, random_{seed}, seed_{seed} {
    exchange_.set_events(this);
    size_ = random_() % 3 == 0 ? random_() % 300'000 : random_() % 3000;
    breaks_ = random_() % 10 == 0;
    early_ = random_() % 10 == 0;
    exchange_.read_body();
    if (early_) begin();
  }
  void on_body(Buffer piece) override {
    intact = intact && matches(as_text(piece), seed_, received_);
    received_ += piece.size();
  }
  void on_body_end() override {
    if (!early_) begin();
  }
  void on_writable() override { go_on(); }
  void on_aborted(const Error& /*error*/) override {}
  bool go_on() {
    if (!begun_ || exchange_.finished() || !exchange_.connected() || !exchange_.writable()) return false;
    const auto left = (breaks_ ? size_ / 2 : size_) - written_;
    if (left == 0) {
      breaks_&& size_ > 0 ? exchange_.abort() : exchange_.finish();
      return true;
    }
    const auto piece = std::min<std::size_t>(left, 1 + random_() % 50'000);
    auto all = pattern(written_ + piece, seed_);
    all.drop_front(written_);
    exchange_.write(std::move(all));
    written_ += piece;
    return true;
  }
  bool intact = true;

 private:
  void begin() {
    begun_ = true;
    exchange_.start(200, {{"X-Size", std::to_string(size_)}, {"X-Breaks", breaks_ && size_ > 0 ? "1" : "0"}},
                    random_() % 2 == 0 ? std::optional<std::uint64_t>{size_} : std::nullopt);
  }
  Exchange exchange_;
  std::mt19937_64 random_;
  std::uint64_t seed_;
  std::size_t size_ = 0;
  std::size_t written_ = 0;
  std::size_t received_ = 0;
  bool breaks_ = false;
  bool early_ = false;
  bool begun_ = false;
};

struct Call final : http::ResponseEvents {
  void on_response(const http::ResponseHead& head) override {
    status = head.status;
    size = std::stoul(std::string{head.headers.get("X-Size").value_or("0")});
    breaks = head.headers.get("X-Breaks") == "1";
  }
  void on_body(Buffer piece) override { body += as_text(piece); }
  void on_complete() override { ended = complete = true; }
  void on_failed(const Error& /*error*/, http::Delivery /*how*/) override { ended = true; }
  std::unique_ptr<ClientConnection> client;
  std::uint64_t seed = 0;
  int status = 0;
  std::size_t size = 0;
  bool breaks = false;
  bool ended = false;
  bool complete = false;
  std::string body;
};

}  // namespace

TEST_CASE("relay: two in a row carry random bodies whole, or cut them, and keep nothing", "[http]") {
  const std::uint64_t first = 8001;
  INFO("seed " << first);
  std::mt19937_64 random{first};
  for (const std::size_t mark : {3'000U, 65'536U}) {
    std::vector<std::unique_ptr<Server>> servers;
    Chain chain{[&](Exchange exchange) {
                  const auto seed = std::stoull(std::string{exchange.request().target.path().substr(1)});
                  servers.push_back(std::make_unique<Server>(std::move(exchange), seed));
                },
                mark};
    auto& executor = chain.rig.loop.executor();
    int completes = 0;
    for (int round = 0; round < 150; ++round) {
      std::vector<std::unique_ptr<Call>> calls;
      for (auto count = 1 + random() % 4; count > 0; --count) {
        auto& call = *calls.emplace_back(std::make_unique<Call>());
        call.seed = random() % 1'000'000;
        auto [ours, theirs] = http::make_pipe(executor, mark);
        chain.rig.front.accept(std::move(theirs), {}, chain.rig.loop.now());
        call.client = std::make_unique<ClientConnection>(std::move(ours), http::ClientLimits{}, executor, Time{});
        const auto target = "/" + std::to_string(call.seed);
        const auto size = random() % 2 == 0 ? 0 : random() % 200'000;
        const http::Request request{size == 0 ? "GET" : "POST", target, {{"Host", "h"}}};
        const auto length = random() % 2 == 0 ? std::optional<std::uint64_t>{size} : std::nullopt;
        const auto id = call.client->begin(request, length, call).value();
        auto rest = pattern(size, call.seed);
        while (!rest.empty()) {
          const auto piece = std::min<std::size_t>(rest.size(), 1 + random() % 30'000);
          call.client->write(id, Buffer::copy_of(rest.span().first(piece)));
          rest.drop_front(piece);
          if (random() % 3 == 0) executor.run_one();
        }
        call.client->finish(id);
      }
      if (random() % 4 == 0) {  // one of them leaves, some time
        for (auto steps = random() % 300; steps > 0; --steps) executor.run_one();
        calls.front()->client.reset();
      }
      for (bool moved = true; moved;) {
        chain.rig.loop.run();
        moved = false;
        for (auto& server : servers) moved = server->go_on() || moved;
      }
      for (const auto& call : calls) {
        if (!call->client) continue;
        REQUIRE(call->ended);
        REQUIRE(matches(call->body, call->seed));
        REQUIRE((!call->complete || call->body.size() == call->size));
        REQUIRE((!call->breaks || !call->complete));
        completes += call->complete ? 1 : 0;
      }
      for (const auto& server : servers) REQUIRE(server->intact);
      calls.clear();
      chain.rig.loop.run();
      servers.clear();
      chain.rig.loop.run();
      REQUIRE(chain.rig.relays->under_way() == 0);
      REQUIRE(chain.relays.under_way() == 0);
      REQUIRE(chain.rig.front.connections() == 0);
    }
    CHECK(completes > 200);
  }
}

TEST_CASE("relay: a thousand idle streams through two relays cost little each", "[http]") {
  std::vector<Exchange> open;
  Chain chain{[&](Exchange exchange) {
    exchange.start(200, {{"Content-Type", "text/event-stream"}});
    open.push_back(std::move(exchange));
  }};
  for (int i = 0; i < 1000; ++i) chain.rig.connect().send("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  chain.rig.loop.run();
  REQUIRE(open.size() == 1000);
  for (auto& exchange : open) exchange.write(Buffer::copy_of(as_bytes("data: x\n\n")));
  chain.rig.loop.run();
  for (const auto& client : chain.rig.clients) CHECK(client->received.ends_with("data: x\n\n\r\n"));
  for (const auto& client : chain.rig.clients) client->stream->close();
  chain.rig.loop.run();
  for (const auto& exchange : open) CHECK_FALSE(exchange.connected());
}
