#include "http/forwarding.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "http/text.hpp"

namespace axl::http {

namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return to_lower(c); });
  return out;
}

}  // namespace

bool is_hop_by_hop(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> names{"Connection", "Keep-Alive",        "TE",
                                                  "Trailer",    "Transfer-Encoding", "Upgrade"};
  if (starts_ignoring_case(name, "Proxy-")) return true;
  return std::any_of(names.begin(), names.end(), [&](auto known) { return equal_ignoring_case(name, known); });
}

ConnectionNames::ConnectionNames(const Headers& headers) {
  for (const auto value : headers.get_all("Connection")) text_.append(lower(value)).append(",");
  for (std::string_view rest{text_}; !rest.empty();) {
    const auto end = rest.find(',');
    if (const auto name = trim(rest.substr(0, end)); !name.empty()) names_.push_back(name);
    rest.remove_prefix(end + 1);
  }
  std::ranges::sort(names_);
}

bool ConnectionNames::contains(std::string_view name) const {
  return !names_.empty() && std::ranges::binary_search(names_, std::string_view{lower(name)});
}

void remove_hop_by_hop(Headers& headers) {
  const ConnectionNames named{headers};
  headers.remove_if([&](const Headers::Line& line) { return is_hop_by_hop(line.name) || named.contains(line.name); });
}

void remove_lookalikes(Headers& headers, std::string_view name) {
  const auto same = [](char a, char b) { return to_lower(a == '_' ? '-' : a) == to_lower(b == '_' ? '-' : b); };
  headers.remove_if([&](const Headers::Line& line) {
    return std::equal(line.name.begin(), line.name.end(), name.begin(), name.end(), same);
  });
}

}  // namespace axl::http
