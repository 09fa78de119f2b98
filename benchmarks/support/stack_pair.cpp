#include "stack_pair.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "numbered.hpp"

namespace axl::bench {

using tcpip::Connection;
using tcpip::Stack;

class StackPair::End final : public tcpip::StackHost, public StreamHandler {
 public:
  End(const PublicKey& own_key, std::size_t mtu)
      : key{own_key},
        stack{[mtu] {
                Stack::Config config;
                config.mtu = mtu;
                return config;
              }(),
              own_key,
              rng,
              *this,
              Logger{},
              Time{}} {}

  bool send_packet(const PublicKey& /*dest*/, Buffer& packet) override {
    out.push_back(std::move(packet));
    return true;
  }
  void open_session(const PublicKey& /*peer*/) override {}
  bool session_is_up(const PublicKey& /*peer*/) override { return true; }

  void on_data(Buffer data) override { received += data.size(); }
  void on_end() override {}
  void on_closed(const Error* /*error*/) override { closed = true; }

  void take(std::unique_ptr<Connection> made) {
    connection = std::move(made);
    connection->set_handler(this);
  }

  PublicKey key;
  crypto::SeededRng rng{7};
  std::deque<Buffer> out;
  std::size_t received = 0;
  bool closed = false;
  Stack stack;
  std::unique_ptr<Connection> connection;
};

StackPair::StackPair(std::size_t mtu)
    : a_{std::make_unique<End>(numbered_public_key(1, std::byte{0x41}), mtu)},
      b_{std::make_unique<End>(numbered_public_key(2, std::byte{0x42}), mtu)} {
  constexpr std::uint16_t kPort = 7000;
  require(b_->stack.listen(kPort, [this](std::unique_ptr<Connection> made) { b_->take(std::move(made)); }).ok(),
          "a port");
  a_->stack.connect(b_->key, kPort, std::chrono::seconds{10}, [this](Result<std::unique_ptr<Connection>> made) {
    require(made.ok(), "a connection comes up");
    a_->take(*std::move(made));
  });
  run([this] { return a_->connection && b_->connection; });
}

StackPair::~StackPair() = default;

void StackPair::settle() {
  a_->stack.run_handlers(now_);
  b_->stack.run_handlers(now_);
}

bool StackPair::move_packets() {
  bool moved = false;
  for (const auto& [from, to] : {std::pair{a_.get(), b_.get()}, std::pair{b_.get(), a_.get()}}) {
    for (auto packets = std::exchange(from->out, {}); !packets.empty(); packets.pop_front()) {
      moved = true;
      ++packets_;
      to->stack.input(from->key, std::move(packets.front()), now_);
    }
    to->stack.run_handlers(now_);
  }
  return moved;
}

template <class Done>
void StackPair::run(Done done) {
  settle();
  while (!done()) {
    if (move_packets()) continue;
    const auto next =
        std::min(a_->stack.next_tick().value_or(Time::max()), b_->stack.next_tick().value_or(Time::max()));
    require(next != Time::max() && !a_->closed && !b_->closed, "a stream goes on");
    now_ = std::max(now_, next);
    a_->stack.on_tick(now_);
    b_->stack.on_tick(now_);
    settle();
  }
}

void StackPair::write(End& from, std::size_t size, std::size_t piece, End& to) {
  const auto wanted = to.received + size;
  run([&] {
    auto& connection = *from.connection;
    while (size > 0 && connection.unsent() < connection.high_mark()) {
      const auto count = std::min(size, piece);
      connection.write(Buffer{count});
      size -= count;
    }
    from.stack.run_handlers(now_);
    return to.received == wanted;
  });
}

void StackPair::carry(std::size_t size, std::size_t piece) { write(*a_, size, piece, *b_); }

void StackPair::exchange(std::size_t size) {
  write(*a_, size, size, *b_);
  write(*b_, size, size, *a_);
}

}  // namespace axl::bench
