// Small values on their way between Python and the library.
#pragma once

#include <nanobind/nanobind.h>

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "errors.hpp"

namespace axl::python {

namespace nb = nanobind;

/// Seconds; beyond what a Duration holds: as long as it can say. No number is not a time.
[[nodiscard]] inline Duration duration_of(double seconds) {
  constexpr double kMost = 9e9;  // 285 years
  if (!(seconds >= 0)) raise(Error{Errc::invalid_argument, "a time is a number of seconds, not negative"});
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds < kMost ? seconds : kMost});
}
[[nodiscard]] inline double seconds_of(Duration duration) { return std::chrono::duration<double>{duration}.count(); }

[[nodiscard]] inline PublicKey key_of(std::string_view digits) { return checked(PublicKey::from_hex(digits)); }
[[nodiscard]] inline std::vector<PublicKey> keys_of(const std::vector<std::string>& list) {
  std::vector<PublicKey> out;
  out.reserve(list.size());
  for (const auto& digits : list) out.push_back(key_of(digits));
  return out;
}

/// What peers wrote need not be UTF-8.
[[nodiscard]] inline nb::str text_of(std::string_view text) {
  return nb::steal<nb::str>(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
}

}  // namespace axl::python
