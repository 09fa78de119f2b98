#include "core/logger.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using axl::Logger;
using axl::LogLevel;

namespace {

struct Counted {
  int* formatted;
};

}  // namespace

template <>
struct fmt::formatter<Counted> : fmt::formatter<int> {
  auto format(const Counted& value, format_context& context) const {
    return fmt::formatter<int>::format(++*value.formatted, context);
  }
};

TEST_CASE("logger: a hook sees one line of characters that may be shown, whoever wrote them", "[core]") {
  std::vector<std::string> lines;
  const Logger log{[&](LogLevel, std::string_view area, std::string_view text) {
                     lines.push_back(std::string{area} + ": " + std::string{text});
                   },
                   LogLevel::debug};
  log(LogLevel::info, "service", "{} says {}", "a\xe2\x80\xaename", "bye\n[node] Our Public Key: 00\x1b[2J");
  log(LogLevel::info, "service", "grün");
  CHECK(lines == std::vector<std::string>{
                     "service: a\\xe2\\x80\\xaename says bye\\x0a[node] Our Public Key: 00\\x1b[2J", "service: grün"});
}

TEST_CASE("logger: below its level, or without a hook, nothing is formatted", "[core]") {
  int formatted = 0;
  int called = 0;
  const auto hook = [&](LogLevel, std::string_view, std::string_view) { ++called; };
  for (const auto& log : {Logger{hook, LogLevel::warning}, Logger{hook, LogLevel::off}, Logger{{}, LogLevel::debug}, Logger{}}) {
    log(LogLevel::info, "x", "{}", Counted{&formatted});
  }
  CHECK(formatted == 0);
  Logger{hook, LogLevel::warning}(LogLevel::error, "x", "{}", Counted{&formatted});
  CHECK(formatted == 1);
  CHECK(called == 1);
}
