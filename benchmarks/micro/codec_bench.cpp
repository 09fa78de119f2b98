// The overlay's frames: bytes to values and back, one of each kind that a busy node sees.
#include <benchmark/benchmark.h>

#include "link/frame_reader.hpp"
#include "numbered.hpp"
#include "overlay/traffic_scan.hpp"
#include "wire/frames.hpp"

using namespace axl;
using namespace axl::bench;

namespace {

const wire::Path kPath{1, 12, 3, 200, 7};

wire::BloomFilter filter_of(std::size_t bits) {
  wire::BloomFilter filter;
  for (std::size_t i = 0; i < bits; ++i) {
    const auto bit = i * 2654435761U % (64 * wire::BloomFilter::kWords);
    filter.words[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  return filter;
}

wire::Announce announce() {
  return {numbered_public_key(1, std::byte{1}), numbered_public_key(2, std::byte{2}), 9, 8, 3, {}, {}};
}
wire::PathNotify notify() {
  return {
      kPath, 5, numbered_public_key(1, std::byte{1}), numbered_public_key(2, std::byte{2}), {1'700'000'000, kPath, {}}};
}
wire::PathLookup lookup() {
  return {numbered_public_key(1, std::byte{1}), numbered_public_key(2, std::byte{2}), kPath};
}
wire::PathBroken broken() {
  return {kPath, 5, numbered_public_key(1, std::byte{1}), numbered_public_key(2, std::byte{2})};
}

template <class Frame>
void encode(benchmark::State& state, const Frame& frame) {
  for (auto _ : state) benchmark::DoNotOptimize(frame.encode());
}

template <class Frame>
void decode(benchmark::State& state, const Frame& frame) {
  const auto message = frame.encode();
  const auto body = message.span().subspan(1);
  for (auto _ : state) {
    auto decoded = Frame::decode(body);
    if (!decoded) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(decoded);
  }
}

BENCHMARK_CAPTURE(encode, sig_req, wire::SigReq{9, 8});
BENCHMARK_CAPTURE(decode, sig_req, wire::SigReq{9, 8});
BENCHMARK_CAPTURE(encode, sig_res, wire::SigRes{9, 8, 3, {}});
BENCHMARK_CAPTURE(decode, sig_res, wire::SigRes{9, 8, 3, {}});
BENCHMARK_CAPTURE(encode, announce, announce());
BENCHMARK_CAPTURE(decode, announce, announce());
BENCHMARK_CAPTURE(encode, light_filter, filter_of(100));
BENCHMARK_CAPTURE(decode, light_filter, filter_of(100));
BENCHMARK_CAPTURE(encode, heavy_filter, filter_of(4'000));
BENCHMARK_CAPTURE(decode, heavy_filter, filter_of(4'000));
BENCHMARK_CAPTURE(encode, path_lookup, lookup());
BENCHMARK_CAPTURE(decode, path_lookup, lookup());
BENCHMARK_CAPTURE(encode, path_notify, notify());
BENCHMARK_CAPTURE(decode, path_notify, notify());
BENCHMARK_CAPTURE(encode, path_broken, broken());
BENCHMARK_CAPTURE(decode, path_broken, broken());

wire::TrafficHeader header() {
  return {kPath, kPath, numbered_public_key(1, std::byte{1}), numbered_public_key(2, std::byte{2}), 5};
}

Buffer traffic(std::size_t payload) {
  Buffer packet{payload, Buffer::kHeadroom};
  header().prepend_to(packet);
  return packet;
}

void traffic_encode(benchmark::State& state) {
  const auto front = header();
  Buffer packet{1'280, Buffer::kHeadroom};
  for (auto _ : state) {
    front.prepend_to(packet);
    packet.drop_front(packet.size() - 1'280);
    benchmark::DoNotOptimize(packet.data());
  }
}
BENCHMARK(traffic_encode);

void traffic_decode(benchmark::State& state) {
  const auto packet = traffic(1'280);
  for (auto _ : state) {
    auto view = wire::TrafficView::decode(packet.span().subspan(1));
    if (!view) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(view);
  }
}
BENCHMARK(traffic_decode);

// What forwarding does instead of decoding: reads in place, and copies with another watermark.
void traffic_pass_on(benchmark::State& state) {
  const auto packet = traffic(static_cast<std::size_t>(state.range(0)));
  std::vector<std::uint64_t> path;
  for (auto _ : state) {
    const auto scan = overlay::TrafficScan::read(packet, path);
    if (!scan) state.SkipWithError("not read");
    benchmark::DoNotOptimize(scan->with_watermark(4));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(traffic_pass_on)->Arg(1'280)->Arg(16'000)->Arg(65'000);

// Frames cut out of the stream of a link, as TLS records bring them.
void frames_cut(benchmark::State& state) {
  Bytes stream;
  for (int i = 0; i < 12; ++i) {
    const auto packet = traffic(1'280);
    wire::append_uvarint(stream, packet.size());
    stream.insert(stream.end(), packet.span().begin(), packet.span().end());
  }
  link::FrameReader reader;
  for (auto _ : state) {
    for (ByteSpan input{stream}; !input.empty();) {
      auto message = reader.next(input);
      if (!message || !*message) state.SkipWithError("not cut");
      benchmark::DoNotOptimize(message);
    }
  }
  state.SetItemsProcessed(state.iterations() * 12);
}
BENCHMARK(frames_cut);

}  // namespace
