#include "net/spare_core.hpp"

#include <catch2/catch_test_macros.hpp>

#include "net/machine_idle.hpp"

using namespace std::chrono_literals;
using namespace axl;
using net::SpareCore;

namespace {

// Two cores, told of in steps of 100 ms.
class Machine {
 public:
  bool after(double idle, double helper, double loop, Duration passed = 100ms) {
    now_ += passed;
    const auto of = [passed](double cores) {
      return Duration{static_cast<Duration::rep>(cores * static_cast<double>(passed.count()))};
    };
    sums_ = {
        .at = now_, .idle = sums_.idle + of(idle), .helper = sums_.helper + of(helper), .loop = sums_.loop + of(loop)};
    core.on_figures(sums_);
    return core.there();
  }
  [[nodiscard]] Time now() const { return now_; }

  SpareCore core;

 private:
  Time now_{1h};
  SpareCore::Figures sums_{};
};

}  // namespace

TEST_CASE("spare core: a busy loop and an idle core beside it", "[net]") {
  Machine machine;
  CHECK_FALSE(machine.after(1.0, 0, 1.0));  // since when is not known
  CHECK(machine.after(1.0, 0, 1.0));
}

TEST_CASE("spare core: what the helper uses is its own", "[net]") {
  Machine machine;
  machine.after(1.0, 0, 1.0);
  REQUIRE(machine.after(1.0, 0, 1.0));
  CHECK(machine.after(0.3, 0.7, 1.0));
  CHECK(machine.after(0.0, 0.6, 1.0));
  CHECK_FALSE(machine.after(0.0, 0.4, 1.0));  // others want the core
}

TEST_CASE("spare core: between the marks it stays as it was", "[net]") {
  Machine machine;
  machine.after(0.6, 0, 1.0);
  CHECK_FALSE(machine.after(0.6, 0, 1.0));
  CHECK(machine.after(0.9, 0, 1.0));
  CHECK(machine.after(0.6, 0, 1.0));
  CHECK_FALSE(machine.after(0.4, 0, 1.0));
  CHECK_FALSE(machine.after(0.6, 0, 1.0));
}

TEST_CASE("spare core: a loop with time left needs no help", "[net]") {
  Machine machine;
  machine.after(1.7, 0, 0.3);
  CHECK_FALSE(machine.after(1.7, 0, 0.3));
  CHECK(machine.after(1.0, 0, 1.0));
  CHECK_FALSE(machine.after(1.7, 0.1, 0.2));
}

TEST_CASE("spare core: a pause says nothing of what comes after it", "[net]") {
  Machine machine;
  machine.after(1.0, 0, 1.0);
  REQUIRE(machine.after(1.0, 0, 1.0));
  CHECK_FALSE(machine.after(1.0, 0, 1.0, 5s));
  CHECK(machine.after(1.0, 0, 1.0));
}

TEST_CASE("spare core: figures are wanted ten times a second, and without them there is none", "[net]") {
  Machine machine;
  CHECK(machine.core.due(machine.now()));
  machine.after(1.0, 0, 1.0);
  REQUIRE(machine.after(1.0, 0, 1.0));
  CHECK_FALSE(machine.core.due(machine.now() + 99ms));
  CHECK(machine.core.due(machine.now() + 100ms));
  machine.core.on_nothing(machine.now() + 100ms);
  CHECK_FALSE(machine.core.there());
  CHECK_FALSE(machine.core.due(machine.now() + 150ms));
}

TEST_CASE("spare core: idle time of the cores that may be used", "[net]") {
  constexpr std::string_view kStat =
      "cpu  60 1 20 3300 60 0 9 0 0 0\n"
      "cpu0 10 1 10 1000 20 0 9 0 0 0\n"
      "cpu1 20 0 10 1100 20 0 0 0 0 0\n"
      "cpu12 30 0 0 1200 20 0 0 0 0 0\n"
      "intr 1982047 0 0\n";
  const auto all = net::usable_cores(kStat, [](int) { return true; }, 10ms);
  REQUIRE(all);
  CHECK(all->count == 3);
  CHECK(all->idle == 33'600ms);
  const auto some = net::usable_cores(kStat, [](int core) { return core == 12 || core == 1; }, 10ms);
  REQUIRE(some);
  CHECK(some->count == 2);
  CHECK(some->idle == 23'400ms);
  CHECK_FALSE(net::usable_cores(kStat, [](int) { return false; }, 10ms));
  CHECK_FALSE(net::usable_cores("", [](int) { return true; }, 10ms));
  const auto cut = net::usable_cores("cpu0 1 2", [](int) { return true; }, 10ms);
  CHECK((cut && cut->idle == Duration{}));
}

#ifdef __linux__
TEST_CASE("spare core: this machine tells", "[net]") {
  const auto cores = net::usable_cores();
  REQUIRE(cores);
  CHECK(cores->count >= 1);
  CHECK(net::own_thread_time() > Duration{});
}
#endif
