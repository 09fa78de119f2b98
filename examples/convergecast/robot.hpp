// A robot with a battery, a thermometer and some load, which moves from zone to zone. Its readings follow from a seed,
// so that others can work out what a question about it has to come to (robot.py is the same in Python).
#pragma once

#include <axl/aggregation.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm {

class Robot {
 public:
  /// Number 0 to 62. `first`: the reading that it starts with; it has none of before.
  Robot(std::uint64_t seed, unsigned number, std::uint64_t first) : seed_{seed}, number_{number}, first_{first} {}

  /// What it says when asked for `name`, such as "load@120": a quantity, and of which reading. Nothing when it knows no
  /// such quantity, or has no such reading: it has those up to `now`.
  [[nodiscard]] std::vector<axl::Contribution> answer(std::string_view name, std::uint64_t now) const;

 private:
  enum class Sensor : std::uint8_t { zone = 1, charge, drain, load, power, temperature };
  /// Reading `tick` of a sensor, 0 to `below` - 1.
  [[nodiscard]] std::uint64_t read(Sensor sensor, std::uint64_t tick, std::uint64_t below) const;
  [[nodiscard]] std::string zone(std::uint64_t tick) const;
  [[nodiscard]] double battery(std::uint64_t tick) const;

  std::uint64_t seed_;
  unsigned number_;
  std::uint64_t first_;
};

}  // namespace swarm
