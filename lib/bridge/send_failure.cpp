#include "bridge/send_failure.hpp"

#include <fmt/format.h>

namespace axl::bridge {

SendFailure describe_failure(const Error& error, std::size_t size, std::size_t max_size) {
  const auto is = [&error](Errc code) { return error.is(code); };
  if (is(Errc::busy) || is(Errc::limit_reached)) return {503, error.text(), true};
  if (is(Errc::too_large) && size > max_size) {
    return {413, fmt::format("Message size {} exceeds maximum {}", size, max_size)};
  }
  if (is(Errc::too_large)) return {413, error.text()};
  if (is(Errc::already_exists)) return {409, error.text()};
  if (is(Errc::timed_out)) return {504, error.text()};
  if (is(Errc::delivery_unknown)) return {502, error.text()};
  if (is(Errc::invalid_argument)) return {400, error.text()};
  return {502, "Failed to reach peer: " + error.text()};
}

}  // namespace axl::bridge
