// JSON laid out for people.
#pragma once

#include <string>
#include <string_view>

namespace axl::a2a {

/// `json` is valid JSON. Indented by two spaces; strings and numbers as written. As it is, when the layout would make
/// it more than four times as long, or is long itself: what comes from elsewhere must not cost memory.
[[nodiscard]] std::string pretty_json(std::string_view json);

}  // namespace axl::a2a
