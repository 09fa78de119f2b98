#include "network.hpp"

#include <algorithm>

namespace axl::tcpip::test {

PublicKey key_of(std::uint64_t seed) {
  std::array<std::byte, PublicKey::kSize> bytes;
  crypto::SeededRng{seed ^ 0x6b6579}.fill(bytes);
  return PublicKey{bytes};
}

Bytes random_bytes(std::uint64_t seed, std::size_t size) {
  Bytes bytes(size);
  crypto::SeededRng{seed}.fill(bytes);
  return bytes;
}

Host::Host(Network& network, const PublicKey& own_key, const Stack::Config& config, std::uint64_t seed)
    : key{own_key}, network_{network}, rng_{seed} {
  Logger logger{[this](LogLevel, std::string_view, std::string_view text) { log.emplace_back(text); },
                LogLevel::warning};
  stack = std::make_unique<Stack>(config, key, rng_, *this, logger, network.now);
}

bool Host::send_packet(const PublicKey& dest, Buffer& packet) {
  if (blocked) {
    ++refused;
    return false;
  }
  ++sent;
  largest = std::max(largest, packet.size());
  if (on_send) on_send(packet.span());
  network_.send(key, dest, std::move(packet));
  return true;
}

void Host::open_session(const PublicKey& peer) {
  ++asked;
  if (!silent) network_.session_wanted(*this, peer);
}

Host& Network::add(const Stack::Config& config) {
  const auto seed = hosts.size() + 1;
  hosts.push_back(std::make_unique<Host>(*this, key_of(seed), config, seed));
  return *hosts.back();
}

Host* Network::find(const PublicKey& key) {
  const auto found = std::ranges::find(hosts, key, [](const auto& host) { return host->key; });
  return found == hosts.end() ? nullptr : found->get();
}

double Network::chance() { return static_cast<double>(rng_.next_u64() >> 11U) * 0x1.0p-53; }

void Network::schedule(Duration delay, std::function<void()> action) {
  events_.push({now + delay, order_++, std::move(action)});
}

void Network::send(const PublicKey& from, const PublicKey& to, Buffer packet) {
  if (chance() < link.loss) {
    ++lost;
    return;
  }
  auto delay = link.delay;
  if (chance() < link.late) delay += link.late_by;
  auto shared = std::make_shared<Buffer>(std::move(packet));
  schedule(delay, [this, from, to, shared] {
    if (auto* host = find(to); host != nullptr) {
      host->stack->input(from, std::move(*shared), now);
      host->stack->run_handlers();
    }
  });
}

void Network::session_wanted(Host& host, const PublicKey& key) {
  schedule(link.delay * 2, [this, &host, key] {
    host.sessions.insert(key);
    host.stack->on_session_up(key, now);
    host.stack->run_handlers();
  });
}

bool Network::run(const std::function<bool()>& done, Duration limit) {
  const auto end = now + limit;
  for (;;) {
    if (done()) return true;
    auto next = end;
    Host* ticking = nullptr;
    for (const auto& host : hosts) {
      if (const auto tick = host->stack->next_tick(); tick && *tick < next) {
        next = std::max(*tick, now);
        ticking = host.get();
      }
    }
    if (!events_.empty() && events_.top().at <= next && events_.top().at < end) {
      auto event = events_.top();
      events_.pop();
      now = std::max(now, event.at);
      event.action();
    } else if (ticking != nullptr) {
      now = next;
      ticking->stack->on_tick(now);
      ticking->stack->run_handlers();
    } else {
      now = end;
      return done();
    }
  }
}

Pair join(Network& network, Host& client, Host& server, std::uint16_t port) {
  Pair pair;
  static_cast<void>(server.stack->listen(
      port, [&pair](std::unique_ptr<Connection> connection) { pair.server->take(std::move(connection)); }));
  client.stack->connect(server.key, port, std::chrono::seconds{20}, [&pair](auto result) {
    if (result) pair.client->take(std::move(*result));
  });
  client.stack->run_handlers();
  network.run([&] { return static_cast<bool>(pair); });
  server.stack->stop_listening(port);
  return pair;
}

void Writer::go(std::size_t piece) {
  auto& connection = *end_.connection;
  while (!done() && connection.unsent() < connection.high_mark()) {
    const auto count = std::min(piece, data_.size() - at_);
    connection.write(Buffer::copy_of(data_.subspan(at_, count)));
    at_ += count;
  }
}

}  // namespace axl::tcpip::test
