// From the values of a config file to members of the configuration. Each answers "must be ..." when it cannot.
#pragma once

#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "hjson.hpp"

namespace axl::daemon {

/// 0 leaves `out` as it is, so that it means the default.
[[nodiscard]] Result<void> read_integer(const Value& value, std::int64_t min, std::int64_t max, std::int64_t& out);
[[nodiscard]] Result<void> read_seconds(const Value& value, std::int64_t max, Duration& out);
[[nodiscard]] Result<void> read_flag(const Value& value, bool& out);
/// "" leaves `out` as it is; null too.
[[nodiscard]] Result<void> read_text(const Value& value, std::string& out);
/// Empty strings are left out; null is an empty list.
[[nodiscard]] Result<void> read_texts(const Value& value, std::vector<std::string>& out);

template <class Integer>
[[nodiscard]] Result<void> read_number(const Value& value, std::int64_t min, std::int64_t max, Integer& out) {
  static_assert(std::is_unsigned_v<Integer>);
  std::int64_t number = static_cast<std::int64_t>(out);
  auto read = read_integer(value, min, max, number);
  if (read) out = static_cast<Integer>(number);
  return read;
}

}  // namespace axl::daemon
