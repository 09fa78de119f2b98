// Small files: read whole, and the key file with the care it needs.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <string>

namespace axl::daemon {

/// Errors read like `open F: no such file or directory`.
[[nodiscard]] Result<Bytes> read_file(const std::string& path, std::size_t max_size);

/// Reads a PEM key. A file that others may read is refused unless `insecure`.
[[nodiscard]] Result<PrivateKey> load_key(const std::string& path, bool insecure);

/// Reads a token: the file's text without white space at its ends. The same care as for a key.
[[nodiscard]] Result<std::string> load_token(const std::string& path, bool insecure);

/// Writes a fresh key with mode 0600. Never overwrites.
[[nodiscard]] Result<PublicKey> generate_key(const std::string& path);

}  // namespace axl::daemon
