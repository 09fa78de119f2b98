#pragma once

#define AXL_VERSION_MAJOR 0
#define AXL_VERSION_MINOR 1
#define AXL_VERSION_PATCH 0

namespace axl {

/// "0.1.0"
inline constexpr const char* kVersion = "0.1.0";

}  // namespace axl
