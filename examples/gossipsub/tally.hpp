// Which messages of whom have come, how often, and how long each was under way.
#pragma once

#include <axl/key.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gossip {

class Tally {
 public:
  /// From now on so many messages of each of these are waited for: number 0 and up. What came before counts.
  void expect(const std::vector<axl::PublicKey>& origins, std::uint64_t of_each);
  void add(const axl::PublicKey& origin, std::uint64_t sequence, std::chrono::nanoseconds latency);
  /// Something came that should not: a wrong body, an origin that is not proved, or more than the tables take.
  void add_wrong() noexcept { ++wrong_; }
  /// Everything that was expected is here.
  [[nodiscard]] bool complete() const noexcept { return expecting_ && missing_ == 0; }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

  /// Members of a JSON object. Latencies are counts by bucket; bucket b is from 1.02^b microseconds on.
  [[nodiscard]] std::string json() const;

 private:
  struct Origin {
    std::vector<std::uint32_t> times;  // that each sequence number has come
    std::uint64_t expected = 0;
    std::uint64_t missing = 0;  // of those
    std::uint64_t twice = 0;
  };
  std::map<axl::PublicKey, Origin> origins_;
  std::map<int, std::uint64_t> latencies_;
  bool expecting_ = false;
  std::uint64_t missing_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t wrong_ = 0;
};

}  // namespace gossip
