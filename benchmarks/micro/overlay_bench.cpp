// One routing engine with many neighbours and 10 000 known paths: packets a second.
#include <benchmark/benchmark.h>

#include "numbered.hpp"
#include "star.hpp"

using namespace axl;
using namespace axl::bench;

namespace {

constexpr std::size_t kPaths = 10'000;
constexpr std::size_t kPayload = 1'280;

// Neighbours, and flows that are under way at once: the engine remembers the way of some of them.
void sizes(benchmark::internal::Benchmark* bench) {
  for (const auto neighbours : {10, 100, 1'000}) {
    for (const auto flows : {1, 100, static_cast<int>(kPaths)}) bench->Args({neighbours, flows});
  }
}

void forward(benchmark::State& state) {
  Star star{static_cast<std::size_t>(state.range(0)), kPaths};
  std::vector<Bytes> messages;
  for (std::int64_t i = 0; i < state.range(1); ++i)
    messages.push_back(star.traffic(static_cast<std::size_t>(i), kPayload));
  std::size_t next = 0;
  for (auto _ : state) {
    star.forward(next, messages[next]);
    if (++next == messages.size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(forward)->Apply(sizes)->ArgNames({"neighbours", "flows"});

void send(benchmark::State& state) {
  Star star{static_cast<std::size_t>(state.range(0)), kPaths};
  const auto payload = numbered_bytes(1, kPayload);
  const auto flows = static_cast<std::size_t>(state.range(1));
  std::size_t next = 0;
  for (auto _ : state) {
    star.send(next, Buffer::copy_of(payload, Buffer::kHeadroom));
    if (++next == flows) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(send)->Apply(sizes)->ArgNames({"neighbours", "flows"});

}  // namespace
