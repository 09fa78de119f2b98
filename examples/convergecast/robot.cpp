#include "robot.hpp"

#include <array>
#include <charconv>

namespace swarm {

namespace {

constexpr std::array<const char*, 4> kZones{"east", "north", "south", "west"};
constexpr std::uint64_t kTicksInZone = 40;  // moves on after so many readings

struct About {
  std::string_view quantity;
  std::uint64_t tick = 0;
};

std::optional<About> parse(std::string_view name) {
  const auto at = name.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  About about{name.substr(0, at)};
  const auto* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + at + 1, end, about.tick);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return about;
}

axl::Number number(double value) { return axl::Number::from_double(value).value(); }

}  // namespace

std::uint64_t Robot::read(Sensor sensor, std::uint64_t tick, std::uint64_t below) const {
  std::uint64_t z = seed_;
  for (const std::uint64_t part : {std::uint64_t{number_}, static_cast<std::uint64_t>(sensor), tick}) {
    z = (z + part + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z ^= z >> 27U;
  }
  return z % below;
}

std::string Robot::zone(std::uint64_t tick) const {
  return kZones.at((read(Sensor::zone, 0, kZones.size()) + tick / kTicksInZone) % kZones.size());
}

double Robot::battery(std::uint64_t tick) const {
  const auto full = 6000 + read(Sensor::charge, 0, 4001);
  const auto used = tick * (1 + read(Sensor::drain, 0, 3));
  return static_cast<double>(full > used ? full - used : 0) / 100.0;  // per cent
}

std::vector<axl::Contribution> Robot::answer(std::string_view name, std::uint64_t now) const {
  const auto about = parse(name);
  if (!about || about->tick < first_ || about->tick > now) return {};
  const auto [quantity, tick] = *about;
  const auto in_all_and_zone = [&, tick = tick](const axl::Number& value) -> std::vector<axl::Contribution> {
    return {{"", value}, {zone(tick), value}};
  };
  if (quantity == "robots") return in_all_and_zone(1);
  if (quantity == "load") return in_all_and_zone(number(static_cast<double>(read(Sensor::load, tick, 1001)) / 1000.0));
  if (quantity == "temperature") {
    return in_all_and_zone(number(15.0 + static_cast<double>(read(Sensor::temperature, tick, 2000)) / 100.0));
  }
  if (quantity == "battery") return {{"", number(battery(tick))}};
  if (quantity == "drained") return {{"", number(100.0 - battery(tick))}};
  if (quantity == "energy") {
    // A sum does not say of whom it is. A power of two for each of them does, and would show who is in it twice.
    const auto used = static_cast<double>((tick + 1) * (100 + read(Sensor::power, 0, 900))) / 7.0;
    return {{"", number(used)}, {"who", axl::Number{std::int64_t{1} << number_}}};
  }
  return {};
}

}  // namespace swarm
