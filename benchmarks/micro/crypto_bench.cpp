// Ciphers and signatures at the sizes in use, alone and as a session uses them.
#include <benchmark/benchmark.h>

#include "crypto/box.hpp"
#include "crypto/signature.hpp"
#include "numbered.hpp"
#include "sealed_pair.hpp"

using namespace axl;
using namespace axl::bench;

namespace {

crypto::Secret shared_secret() {
  crypto::SeededRng rng{1};
  const auto ours = crypto::BoxKeyPair::generate(rng);
  const auto theirs = crypto::BoxKeyPair::generate(rng);
  return crypto::box_shared(theirs.public_key, ours.private_key).value();
}

void packet_sizes(benchmark::internal::Benchmark* bench) { bench->Arg(1'280)->Arg(16'000)->Arg(65'000); }

void seal(benchmark::State& state) {
  const auto secret = shared_secret();
  auto data = numbered_bytes(1, static_cast<std::size_t>(state.range(0)));
  std::array<std::byte, crypto::kBoxTagSize> tag{};
  std::uint64_t nonce = 0;
  for (auto _ : state) crypto::seal_in_place(data, tag, ++nonce, secret);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(seal)->Apply(packet_sizes);

// Opened in place, a packet is no packet any more: each time it is copied anew, which is a small part of the time.
void open(benchmark::State& state) {
  const auto secret = shared_secret();
  auto sealed = numbered_bytes(1, static_cast<std::size_t>(state.range(0)));
  std::array<std::byte, crypto::kBoxTagSize> tag{};
  crypto::seal_in_place(sealed, tag, 1, secret);
  Bytes data(sealed.size());
  for (auto _ : state) {
    std::copy(sealed.begin(), sealed.end(), data.begin());
    if (!crypto::open_in_place(data, tag, 1, secret)) state.SkipWithError("not opened");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(open)->Apply(packet_sizes);

// Through two engines: session found, sealed with headers, opened, address checked.
void session_packet(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  SealedPair pair{65'535};
  auto packet = pair.packet(size);
  for (auto _ : state) {
    // The header room in front has gone with the first use; a node makes a new packet too.
    packet = pair.carry(Buffer::copy_of(packet, Buffer::kHeadroom));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(session_packet)->Apply(packet_sizes);

void shared_key(benchmark::State& state) {
  crypto::SeededRng rng{1};
  const auto ours = crypto::BoxKeyPair::generate(rng);
  const auto theirs = crypto::BoxKeyPair::generate(rng);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::box_shared(theirs.public_key, ours.private_key));
}
BENCHMARK(shared_key);

void sign(benchmark::State& state) {
  const auto key = numbered_key(1);
  const auto message = numbered_bytes(2, 80);  // what an announcement signs
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sign(key, message));
}
BENCHMARK(sign);

void verify(benchmark::State& state) {
  const auto key = numbered_key(1);
  const auto message = numbered_bytes(2, 80);
  const auto signature = crypto::sign(key, message);
  for (auto _ : state) {
    if (!crypto::verify(key.public_key(), message, signature)) state.SkipWithError("not verified");
  }
}
BENCHMARK(verify);

}  // namespace
