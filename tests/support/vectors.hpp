// Golden vectors: JSON files under tests/vectors. A missing file or member ends the test program with a message.
#pragma once

#include <simdjson.h>

#include <axl/bytes.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace axl::test {

/// Parses tests/vectors/<name> (or an absolute path) once and keeps it for the life of the program.
simdjson::dom::element load_vectors(const std::string& name);

[[nodiscard]] std::string_view text(simdjson::dom::element value);  ///< a JSON string
[[nodiscard]] Bytes hex(simdjson::dom::element value);              ///< a JSON string of hex digits
/// A JSON number, or a decimal string as the vectors use above 2^53.
[[nodiscard]] std::uint64_t u64(simdjson::dom::element value);
[[nodiscard]] bool has(simdjson::dom::element object, std::string_view member);  ///< present and not null

}  // namespace axl::test
