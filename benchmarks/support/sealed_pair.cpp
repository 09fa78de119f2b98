#include "sealed_pair.hpp"

#include <algorithm>
#include <chrono>
#include <variant>

#include "numbered.hpp"

namespace axl::bench {

using e2e::Engine;

namespace {
e2e::Config config_of(std::size_t mtu) {
  e2e::Config config;
  config.mtu = mtu;
  return config;
}
constexpr std::size_t kHeaderSize = 40;  // of IPv6
}  // namespace

SealedPair::End::End(std::uint64_t number, const e2e::Config& config)
    : key{numbered_key(number)}, rng{number}, engine{config, key, rng, std::chrono::seconds{1'700'000'000}, Time{}} {}

SealedPair::SealedPair(std::size_t mtu) : a_{1, config_of(mtu)}, b_{2, config_of(mtu)} {
  a_.engine.open(b_.key.public_key(), now_);
  a_.engine.on_path_found(b_.key.public_key(), now_);
  while (exchange(a_, b_) || exchange(b_, a_)) {
  }
  require(a_.engine.is_open(b_.key.public_key()) && b_.engine.is_open(a_.key.public_key()), "a session is up");
}

bool SealedPair::exchange(End& from, End& to) {
  bool any = false;
  while (auto output = from.engine.poll_output()) {
    any = true;
    auto* sent = std::get_if<Engine::SendPacket>(&*output);
    if (sent != nullptr) to.engine.on_packet(from.key.public_key(), std::move(sent->payload), now_);
  }
  return any;
}

Buffer SealedPair::packet(std::size_t size) const {
  auto packet = Buffer::copy_of(numbered_bytes(size, size), Buffer::kHeadroom);
  const auto header = packet.mutable_span().first(kHeaderSize);
  std::ranges::fill(header, std::byte{0});
  header[0] = std::byte{0x60};
  header[4] = static_cast<std::byte>((size - kHeaderSize) >> 8U);
  header[5] = static_cast<std::byte>(size - kHeaderSize);
  header[6] = std::byte{59};
  std::ranges::copy(Address::of(a_.key.public_key()).bytes(), header.begin() + 8);
  std::ranges::copy(Address::of(b_.key.public_key()).bytes(), header.begin() + 24);
  return packet;
}

Buffer SealedPair::carry(Buffer packet) {
  require(a_.engine.send(b_.key.public_key(), std::move(packet), now_).ok(), "a packet is taken");
  auto sealed = a_.engine.poll_output();
  auto* sent = sealed ? std::get_if<Engine::SendPacket>(&*sealed) : nullptr;
  require(sent != nullptr, "a packet is sealed");
  b_.engine.on_packet(a_.key.public_key(), std::move(sent->payload), now_);
  auto opened = b_.engine.poll_output();
  auto* delivered = opened ? std::get_if<Engine::DeliverPacket>(&*opened) : nullptr;
  require(delivered != nullptr, "a packet is opened");
  return std::move(delivered->packet);
}

}  // namespace axl::bench
