// Which headers belong to one connection and stop there, for whoever forwards messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/headers.hpp"

namespace axl::http {

/// Connection, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade. RFC 9110, section 7.6.1.
[[nodiscard]] bool is_hop_by_hop(std::string_view name) noexcept;

/// What a message's Connection headers name. A head may hold thousands of lines and tens of thousands of such names, so
/// the lists are read once and not anew for every line.
class ConnectionNames {
 public:
  explicit ConnectionNames(const Headers& headers);
  ConnectionNames(const ConnectionNames&) = delete;
  ConnectionNames& operator=(const ConnectionNames&) = delete;
  ~ConnectionNames() = default;

  [[nodiscard]] bool contains(std::string_view name) const;

 private:
  std::string text_;                     // of all lists, lower case
  std::vector<std::string_view> names_;  // sorted; views into text_
};

/// Removes the hop-by-hop headers, and those that Connection names.
void remove_hop_by_hop(Headers& headers);

/// Removes every line whose name is `name` when `_` and `-` count as the same: a reader that makes variables of names
/// cannot tell them apart.
void remove_lookalikes(Headers& headers, std::string_view name);

}  // namespace axl::http
