#include "http/forwarding.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "http/text.hpp"

namespace axl::http {

namespace {

template <class Wanted>
void remove_where(Headers& headers, Wanted wanted) {
  std::vector<std::string> names;
  for (const auto& line : headers) {
    if (wanted(line.name)) names.emplace_back(line.name);
  }
  for (const auto& name : names) headers.remove(name);
}

}  // namespace

bool is_hop_by_hop(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> names{"Connection", "Keep-Alive",        "TE",
                                                  "Trailer",    "Transfer-Encoding", "Upgrade"};
  if (name.size() > 6 && equal_ignoring_case(name.substr(0, 6), "Proxy-")) return true;
  return std::any_of(names.begin(), names.end(), [&](auto known) { return equal_ignoring_case(name, known); });
}

void remove_hop_by_hop(Headers& headers) {
  std::string named;
  for (const auto value : headers.get_all("Connection")) named.append(value).append(",");
  remove_where(headers, [&](std::string_view name) { return is_hop_by_hop(name) || list_contains(named, name); });
}

void remove_lookalikes(Headers& headers, std::string_view name) {
  const auto same = [](char a, char b) { return to_lower(a == '_' ? '-' : a) == to_lower(b == '_' ? '-' : b); };
  remove_where(headers, [&](std::string_view other) {
    return std::equal(other.begin(), other.end(), name.begin(), name.end(), same);
  });
}

}  // namespace axl::http
