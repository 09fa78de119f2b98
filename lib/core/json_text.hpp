// Text as JSON has it, for all who write JSON.
#pragma once

#include <string>
#include <string_view>

namespace axl::json {

/// `text` as a JSON string, quotes included; what is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace axl::json
