// Small files: read whole, and those with secrets with the care that they need.
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace axl::files {

inline constexpr std::size_t kMaxSecretSize = 64UL * 1024;

/// Errors read like `open F: no such file or directory`: not_found, io, too_large.
[[nodiscard]] Result<Bytes> read_file(const std::string& path, std::size_t max_size);

/// The same for a secret, which the caller wipes: permission_denied when others than its owner may read the file.
[[nodiscard]] Result<Bytes> read_secret_file(const std::string& path, bool others_may_read);

/// Makes a file for its owner only, complete before it has its name: already_exists, io.
[[nodiscard]] Result<void> make_secret_file(const std::string& path, std::string_view text);

}  // namespace axl::files
