#include "net/machine_idle.hpp"

#include <ctime>
#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace axl::net {

namespace {

constexpr std::string_view kCore = "cpu";
constexpr int kIdleField = 4;     // of a core's line: name, user, nice, system, idle,
constexpr int kWaitingField = 5;  // idle while something is read from a disk

std::string_view take_until(std::string_view& text, char end) {
  const auto taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::uint64_t idle_ticks(std::string_view fields) {
  std::uint64_t ticks = 0;
  for (int field = 1; field <= kWaitingField && !fields.empty(); ++field) {
    const auto value = take_until(fields, ' ');
    if (field >= kIdleField) ticks += number_of(value);
  }
  return ticks;
}

}  // namespace

std::optional<UsableCores> usable_cores(std::string_view stat, const std::function<bool(int)>& usable, Duration tick) {
  UsableCores cores;
  while (stat.starts_with(kCore)) {
    auto fields = take_until(stat, '\n');
    const auto name = take_until(fields, ' ').substr(kCore.size());
    if (name.empty() || !usable(static_cast<int>(number_of(name)))) continue;  // without a number: the sum of all
    ++cores.count;
    cores.idle += tick * static_cast<Duration::rep>(idle_ticks(fields));
  }
  if (cores.count == 0) return std::nullopt;
  return cores;
}

#ifdef __linux__

std::optional<UsableCores> usable_cores() {
  cpu_set_t set;
  const auto ticks = ::sysconf(_SC_CLK_TCK);
  if (ticks <= 0 || ::sched_getaffinity(0, sizeof set, &set) != 0) return std::nullopt;
  if (CPU_COUNT(&set) < 2) return UsableCores{.count = 1};  // no need to look
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen("/proc/stat", "re"), &std::fclose};
  if (!file) return std::nullopt;
  std::string cores;  // the lines that stand first
  std::array<char, 256> line;
  while (std::fgets(line.data(), line.size(), file.get()) != nullptr &&
         std::string_view{line.data()}.starts_with(kCore)) {
    cores += line.data();
  }
  return usable_cores(
      cores, [&set](int core) { return core < CPU_SETSIZE && CPU_ISSET(core, &set); },
      Duration{std::chrono::seconds{1}} / ticks);
}

#else

std::optional<UsableCores> usable_cores() { return std::nullopt; }

#endif

Duration own_thread_time() noexcept {
  timespec time{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return {};
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace axl::net
