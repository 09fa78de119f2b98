#include "options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace gossip {

const char* const kUsage =
    "gossip [--name NAME] [--topic TOPIC] [--listen URI]... [--peer URI]... [--key-file FILE] [--live | --plain]\n"
    "  a chat: lines of standard input go to all who subscribe to the topic. On a terminal it draws the mesh; --plain:\n"
    "  no drawing, --live: drawing wherever standard output goes. /quit, or the end of input, ends it.\n"
    "gossip --load RATE --seconds SECONDS ...\n"
    "  publishes RATE messages of 1 KiB a second, and counts those of others. Standard input takes `mesh`, `result` and\n"
    "  `go KEY...` (the others that publish as much); standard output is lines of JSON.\n";

namespace {

constexpr double kMostRate = 10'000;
constexpr double kMostMessages = 1'000'000;
constexpr std::size_t kMostName = 24;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostName && std::ranges::all_of(text, [](char one) {
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') || one == '-' ||
           one == '_';
  });
}

bool read_number(const char* text, double& out) {
  char* end = nullptr;
  out = std::strtod(text, &end);
  return end != text && *end == 0 && std::isfinite(out) && out > 0;
}

}  // namespace

std::optional<Options> parse_options(int count, const char* const* arguments) {
  Options out;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--live" || option == "--plain") {
      (option == "--live" ? out.live : out.plain) = true;
      continue;
    }
    if (i + 1 == count) return {};
    const char* const value = arguments[++i];
    bool read = true;
    if (option == "--name") {
      out.name = value;
    } else if (option == "--topic") {
      out.topic = value;
    } else if (option == "--key-file") {
      out.key_file = value;
    } else if (option == "--listen") {
      out.listen.emplace_back(value);
    } else if (option == "--peer") {
      out.peers.emplace_back(value);
    } else if (option == "--load") {
      read = read_number(value, out.rate);
    } else if (option == "--seconds") {
      read = read_number(value, out.seconds);
    } else {
      read = false;
    }
    if (!read) return {};
  }
  const bool load = out.rate > 0;
  if (load != (out.seconds > 0) || out.rate > kMostRate || out.rate * out.seconds > kMostMessages) return {};
  if (!is_name(out.name) || (out.live && out.plain) || (load && out.live)) return {};
  return out;
}

}  // namespace gossip
