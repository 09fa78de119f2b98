// A received message from its arrival to its reader, with few and with many others waiting.
#include <benchmark/benchmark.h>

#include "queue_work.hpp"

namespace {

void queued_message(benchmark::State& state) {
  axl::bench::QueueWork work{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state) work.pass();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(queued_message)->Arg(0)->Arg(1'000)->ArgName("waiting");

}  // namespace
