#include "net/spare_core.hpp"

#include <chrono>

namespace axl::net {

namespace {

constexpr Duration kEvery = std::chrono::milliseconds{100};
constexpr Duration kLongest = std::chrono::milliseconds{400};  // the pause in it says nothing of what comes

// Cores.
constexpr double kSpareEnough = 0.8;
constexpr double kSpareTooLittle = 0.5;
constexpr double kBusyEnough = 0.7;  // a loop with time left is not what holds the flow up
constexpr double kBusyTooLittle = 0.4;

}  // namespace

bool SpareCore::due(Time now) const noexcept { return !asked_ || now - *asked_ >= kEvery; }

void SpareCore::on_nothing(Time now) noexcept {
  asked_ = now;
  last_.reset();
  there_ = false;
}

void SpareCore::on_figures(const Figures& figures) noexcept {
  const auto before = last_;
  asked_ = figures.at;
  last_ = figures;
  const auto passed = before ? figures.at - before->at : Duration{};
  if (passed <= Duration{} || passed > kLongest) {
    there_ = false;
    return;
  }
  const auto cores = [passed](Duration used) {
    return static_cast<double>(used.count()) / static_cast<double>(passed.count());
  };
  const auto helper = figures.helper - before->helper;
  const auto spare = cores(figures.idle - before->idle + helper);
  const auto busy = cores(figures.loop - before->loop + helper);
  there_ = there_ ? spare >= kSpareTooLittle && busy >= kBusyTooLittle : spare >= kSpareEnough && busy >= kBusyEnough;
}

}  // namespace axl::net
