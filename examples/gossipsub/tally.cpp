#include "tally.hpp"

#include <algorithm>
#include <cmath>

namespace gossip {
namespace {

constexpr std::size_t kMostOrigins = 256;
constexpr std::uint64_t kMostSequence = 1'000'000;

int bucket_of(std::chrono::nanoseconds latency) {
  const auto microseconds = std::max(1.0, static_cast<double>(latency.count()) / 1e3);
  return static_cast<int>(std::floor(std::log(microseconds) / std::log(1.02)));
}

}  // namespace

void Tally::expect(const std::vector<axl::PublicKey>& origins, std::uint64_t of_each) {
  for (const auto& key : origins) {
    auto& origin = origins_[key];
    origin.times.resize(std::max<std::size_t>(origin.times.size(), of_each));
    origin.expected = of_each;
    const auto end = origin.times.begin() + static_cast<std::ptrdiff_t>(of_each);
    origin.missing = static_cast<std::uint64_t>(std::count(origin.times.begin(), end, 0U));
    missing_ += origin.missing;
  }
  expecting_ = true;
}

void Tally::add(const axl::PublicKey& origin, std::uint64_t sequence, std::chrono::nanoseconds latency) {
  if (sequence >= kMostSequence) return add_wrong();
  if (origins_.size() >= kMostOrigins && !origins_.contains(origin)) return add_wrong();
  auto& known = origins_[origin];
  if (sequence >= known.times.size()) known.times.resize(sequence + 1);
  ++received_;
  ++latencies_[bucket_of(latency)];
  if (++known.times[sequence] > 1) {
    ++known.twice;
  } else if (sequence < known.expected) {
    --known.missing;
    --missing_;
  }
}

std::string Tally::json() const {
  std::string out = "\"received\": " + std::to_string(received_) + ", \"wrong\": " + std::to_string(wrong_);
  out += ", \"origins\": {";
  for (const char* between = ""; const auto& [key, origin] : origins_) {
    const auto came = std::ranges::count_if(origin.times, [](auto times) { return times > 0; });
    out += between + ("\"" + key.to_hex()) + "\": {\"received\": " + std::to_string(came) +
           ", \"missing\": " + std::to_string(origin.missing) + ", \"twice\": " + std::to_string(origin.twice) + "}";
    between = ", ";
  }
  out += "}, \"latencies\": {";
  for (const char* between = ""; const auto& [bucket, count] : latencies_) {
    out += between + ("\"" + std::to_string(bucket)) + "\": " + std::to_string(count);
    between = ", ";
  }
  return out + "}";
}

}  // namespace gossip
