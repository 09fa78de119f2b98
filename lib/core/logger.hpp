// Formats for the log hook, and only when somebody listens at that level.
//
// Peers, servers and programs have their words in many texts, so none reaches the hook but through here, where whatever
// could steer a terminal or begin a line of its own is written as `\xNN`.
#pragma once

#include <fmt/format.h>
#include <axl/log.hpp>
#include <utility>

#include "core/printable.hpp"

namespace axl {

class Logger {
 public:
  Logger() = default;
  Logger(LogHook hook, LogLevel level) : hook_{std::move(hook)}, level_{level} {}

  [[nodiscard]] bool on(LogLevel level) const noexcept { return hook_ && level >= level_; }

  template <class... Args>
  void operator()(LogLevel level, std::string_view area, fmt::format_string<Args...> format, Args&&... args) const {
    if (on(level)) hook_(level, area, printable(fmt::format(format, std::forward<Args>(args)...)));
  }

 private:
  LogHook hook_;
  LogLevel level_ = LogLevel::off;
};

}  // namespace axl
