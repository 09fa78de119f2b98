// Standard error of a process of ours, on its way to the log: cut, and no more than a log can bear.
#pragma once

#include <axl/time.hpp>
#include <string>
#include <string_view>

#include "core/logger.hpp"
#include "core/printable.hpp"

namespace axl::services {

class StdioErrors {
 public:
  static constexpr unsigned kLinesPerSecond = 100;
  static constexpr std::size_t kLongest = 1'000;

  StdioErrors(std::string service, int pid, Logger log)
      : service_{std::move(service)}, pid_{pid}, log_{std::move(log)} {}

  void take(std::string_view line, Time now) {
    if (now - second_ >= std::chrono::seconds{1}) {
      if (left_out_ > 0) {
        log_(LogLevel::warning, "service", "{}[{}]: {} more lines left out", service_, pid_, left_out_);
      }
      second_ = now;
      lines_ = left_out_ = 0;
    }
    if (++lines_ > kLinesPerSecond) {
      ++left_out_;
      return;
    }
    log_(LogLevel::info, "service", "{}[{}]: {}", service_, pid_, clipped(line, kLongest));
  }

 private:
  const std::string service_;
  const int pid_;
  const Logger log_;
  Time second_{};
  unsigned lines_ = 0;
  unsigned left_out_ = 0;
};

}  // namespace axl::services
