#include "live_view.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace gossip {
namespace {

constexpr std::size_t kMostOthers = 4;  // rows
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kColour = "\x1b[36m";
constexpr const char* kNormal = "\x1b[0m";

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  std::array<char, 512> out{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(out.data(), out.size(), format, arguments);
  va_end(arguments);
  return out.data();
}

std::string row(const View::Who& who) {
  const auto* const name = who.name.empty() ? "-" : who.name.c_str();
  auto out = text("%-16s %s%s%s %8zu message%s", name, kDim, who.key.c_str(), kNormal,
                  static_cast<std::size_t>(who.messages), who.messages == 1 ? "" : "s");
  if (who.messages == 0) return out;
  return out + (who.since_last.count() == 0 ? ", just now" : text(", %lld s ago", static_cast<long long>(who.since_last.count())));
}

std::string bars(const std::deque<double>& values, std::size_t columns) {
  constexpr std::array kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto skip = values.size() > columns ? values.size() - columns : 0;
  double most = 1;
  for (auto i = skip; i < values.size(); ++i) most = std::max(most, values[i]);
  std::string out;
  for (auto i = skip; i < values.size(); ++i) {
    out += values[i] <= 0 ? " " : kBars[static_cast<std::size_t>(values[i] / most * (kBars.size() - 1))];
  }
  return out;
}

void write_all(std::string_view out) {
  while (!out.empty()) {
    const auto count = write(STDOUT_FILENO, out.data(), out.size());
    if (count <= 0) return;
    out.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

std::string short_key(const axl::PublicKey& key) { return key.to_hex().substr(0, 8); }

std::vector<std::string> draw(const View& view, ScreenSize size) {
  std::vector<std::string> out;
  out.push_back(text("%stopic %s%s   %zu subscribe, %zu of them in the mesh; %zu connected", kBold, view.topic.c_str(),
                     kNormal, view.topic_peers, view.mesh.size(), view.connected));
  out.emplace_back();
  out.push_back(text("%s%s%s %s   %s", kColour, view.self.name.c_str(), kNormal, view.self.key.c_str(),
                     view.where.c_str()));
  for (std::size_t i = 0; i < view.mesh.size(); ++i) {
    out.push_back(std::string{i + 1 == view.mesh.size() ? " └── " : " ├── "} + row(view.mesh[i]));
  }
  for (std::size_t i = 0; i < std::min(view.others.size(), kMostOthers); ++i) {
    out.push_back("  ·  " + row(view.others[i]));
  }
  if (view.others.size() > kMostOthers) {
    out.push_back(text("  ·  and %zu more, heard of through others", view.others.size() - kMostOthers));
  }
  out.emplace_back();
  const auto& rate = view.per_second;
  out.push_back(text("in  %7.1f messages/s, %7.1f copies/s, %.2f copies of a message", rate.delivered, rate.copies_in,
                     view.copies_per_message));
  out.push_back(text("out %7.1f messages/s, %7.1f copies/s", rate.published, rate.copies_out));
  out.push_back("in, second by second: " + std::string{kColour} +
                bars(view.history, std::min<std::size_t>(60, size.columns - 20)) + kNormal);
  out.emplace_back();
  const auto room = size.rows > out.size() + 1 ? size.rows - 1 - out.size() : 0;
  for (auto i = view.lines.size() > room ? view.lines.size() - room : 0; i < view.lines.size(); ++i) {
    out.push_back(view.lines[i]);
  }
  if (out.size() > size.rows - 1) out.resize(size.rows - 1);
  return out;
}

// The other screen of the terminal, without wrapping.
Screen::Screen() { write_all("\x1b[?1049h\x1b[?7l\x1b[2J"); }
Screen::~Screen() { write_all("\x1b[?7h\x1b[?1049l"); }

ScreenSize Screen::size() {
  winsize found = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_row < 4 || found.ws_col < 20) return {};
  return {found.ws_row, found.ws_col};
}

void Screen::show(const std::vector<std::string>& lines, bool prompt_again) {
  const auto rows = size().rows;
  std::string out = "\x1b" "7\x1b[H";
  for (std::size_t i = 0; i + 1 < rows; ++i) out += (i < lines.size() ? lines[i] : std::string{}) + "\x1b[K\r\n";
  out += "\x1b" "8";
  if (prompt_again) out += text("\x1b[%zu;1H\x1b[K> ", rows);
  write_all(out);
}

}  // namespace gossip
