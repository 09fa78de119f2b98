#include "console_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <string>

#include "core/printable.hpp"

namespace axl::daemon {

namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    case LogLevel::off: break;
  }
  return "off";
}

std::string timestamp() { return fmt::format("{:%Y/%m/%d %H:%M:%S}", fmt::localtime(std::time(nullptr))); }

void print(std::FILE* file, std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), file);
  std::fflush(file);
}

}  // namespace

void say(std::string_view line) { print(stdout, printable(line)); }
void complain(std::string_view line) { print(stderr, printable(line)); }

LogHook make_console_log(bool compat) {
  return [compat](LogLevel level, std::string_view area, std::string_view text) {
    if (!compat) {
      complain(fmt::format("{} {} {}: {}", timestamp(), level_name(level), area, text));
    } else if (level == LogLevel::info && area != "bridge") {
      say(fmt::format("[node] {}", text));
    } else {
      complain(fmt::format("{} {}", timestamp(), text));
    }
  };
}

}  // namespace axl::daemon
