// TCP inside the process: two stacks back to back, without ciphers and sockets.
#include <benchmark/benchmark.h>

#include "stack_pair.hpp"

using namespace axl::bench;

namespace {

void report(benchmark::State& state, const StackPair& pair, std::size_t packets_before) {
  state.counters["packets"] = benchmark::Counter(static_cast<double>(pair.packets() - packets_before) /
                                                 static_cast<double>(state.iterations()));
  // Virtual: anything here would be a stall in a node.
  state.counters["waited_ms"] = std::chrono::duration<double, std::milli>(pair.waited()).count();
}

void stream(benchmark::State& state) {
  StackPair pair{static_cast<std::size_t>(state.range(0))};
  constexpr std::size_t kSize = 1 << 20;
  pair.carry(kSize, 64 * 1024);
  const auto before = pair.packets();
  for (auto _ : state) pair.carry(kSize, 64 * 1024);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kSize));
  report(state, pair, before);
}
BENCHMARK(stream)->Arg(1'280)->Arg(16'200)->Arg(65'535)->ArgName("mtu");

void round_trip(benchmark::State& state) {
  StackPair pair{16'200};
  const auto before = pair.packets();
  for (auto _ : state) pair.exchange(static_cast<std::size_t>(state.range(0)));
  state.SetItemsProcessed(state.iterations());
  report(state, pair, before);
}
BENCHMARK(round_trip)->Arg(64)->Arg(1'024)->ArgName("bytes");

}  // namespace
