#include "star.hpp"

#include <chrono>
#include <variant>

#include "numbered.hpp"

namespace axl::bench {

using namespace std::chrono_literals;
using overlay::LinkId;
using overlay::SendFrame;

namespace {

constexpr auto kUnix = 1'700'000'000s;
constexpr std::uint64_t kFar = 1'000;  // the distance that forwarded messages say they come from

// The lowest key is the root; those of the neighbours begin with 0xff.
PrivateKey root_key() {
  for (std::uint64_t number = 1;; ++number) {
    auto key = numbered_key(number);
    if (key.public_key().bytes()[0] < std::byte{0x80}) return key;
  }
}

}  // namespace

Star::Star(std::size_t neighbours, std::size_t paths)
    : key_{root_key()}, engine_{overlay::Config{},
                                key_,
                                [](const PublicKey&, ByteSpan, const crypto::Signature&) { return true; },
                                rng_,
                                kUnix,
                                now_} {
  for (int tick = 0; tick < 4; ++tick) {  // nobody answers, so the engine becomes its own root
    engine_.on_tick(now_);
    now_ += 1s;
  }
  for (std::size_t i = 0; i < neighbours; ++i) add(i);
  engine_.on_tick(now_);
  while (engine_.poll_output()) {
  }
  require(engine_.root() == key_.public_key(), "the engine is the root");
  for (std::size_t i = 0; i < paths; ++i) learn(i);
  while (engine_.poll_output()) {
  }
  require(engine_.table_sizes().paths == paths, "every path is known");
}

// A link comes up; the neighbour answers the engine's request and becomes its child.
void Star::add(std::size_t number) {
  Neighbour neighbour{numbered_public_key(number, std::byte{0xff}), LinkId{static_cast<std::uint32_t>(number + 1)}, 0};
  const auto port = engine_.on_link_up(neighbour.link, neighbour.key, 0, now_);
  require(port.ok(), "a link comes up");
  neighbour.port = static_cast<std::uint64_t>(*port);
  while (const auto output = engine_.poll_output()) {
    const auto* frame = std::get_if<SendFrame>(&*output);
    if (frame == nullptr || frame->link != neighbour.link || frame->type != wire::FrameType::sig_req) continue;
    const auto request = wire::SigReq::decode(frame->message.span().subspan(1));
    require(request.ok(), "a request is well-formed");
    const wire::SigRes response{request->seq, request->nonce, 1, {}};
    require(engine_.on_message(neighbour.link, response.encode(), now_, 1ms).ok(), "an answer is taken");
  }
  const wire::Announce announce{neighbour.key, key_.public_key(), 1, 1, neighbour.port, {}, {}};
  require(engine_.on_message(neighbour.link, announce.encode(), now_).ok(), "an announcement is taken");
  neighbours_.push_back(neighbour);
}

// The engine asks for a key, and the answer comes.
void Star::learn(std::size_t number) {
  const auto behind = number % neighbours_.size();
  const auto& neighbour = neighbours_[behind];
  Path path{numbered_public_key(1'000'000 + number, std::byte{0xfe}), behind, {neighbour.port, 1 + number}};
  engine_.send_lookup(path.key, now_);
  const wire::PathNotify answer{engine_.coords(),
                                kFar,
                                path.key,
                                key_.public_key(),
                                {static_cast<std::uint64_t>(kUnix.count()), path.coords, {}}};
  require(engine_.on_message(neighbour.link, answer.encode(), now_).ok(), "a path is taken");
  paths_.push_back(std::move(path));
}

Bytes Star::traffic(std::size_t path, std::size_t payload) const {
  const auto& to = paths_[path];
  const auto& from = neighbours_[(to.behind + 1) % neighbours_.size()];
  auto packet = Buffer::copy_of(numbered_bytes(path, payload), Buffer::kHeadroom);
  wire::TrafficHeader{to.coords, {from.port, 1}, numbered_public_key(2'000'000, std::byte{0xfd}), to.key, kFar}
      .prepend_to(packet);
  return to_bytes(packet.span());
}

void Star::forward(std::size_t path, ByteSpan message) {
  const auto& from = neighbours_[(paths_[path].behind + 1) % neighbours_.size()];
  require(engine_.on_message(from.link, message, now_).ok(), "a message is taken");
  expect_frame(path);
}

void Star::send(std::size_t path, Buffer payload) {
  require(engine_.send(paths_[path].key, std::move(payload), now_).ok(), "a datagram is taken");
  expect_frame(path);
}

void Star::expect_frame(std::size_t path) {
  const auto output = engine_.poll_output();
  const auto* frame = output ? std::get_if<SendFrame>(&*output) : nullptr;
  require(frame != nullptr && frame->type == wire::FrameType::traffic &&
              frame->link == neighbours_[paths_[path].behind].link,
          "a message leaves by the right link");
}

}  // namespace axl::bench
