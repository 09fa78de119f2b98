// A node's identity that lasts: a private key in a file.
//
// The format is PEM, an unencrypted PKCS#8 Ed25519 key, as `openssl genpkey -algorithm ed25519` and `axld --genkey` write
// it. Source: bridge, section 2 (configuration).
#pragma once

#include <axl/api.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <string>

namespace axl {

/// Reads a key of at most 64 KiB. Errors: not_found, io; permission_denied when others than its owner may read the file,
/// unless that is allowed; malformed. Their texts name the file.
[[nodiscard]] AXL_API Result<PrivateKey> read_key_file(const std::string& path, bool others_may_read = false);

/// Makes a file, mode 0600, with a fresh key; it is complete before it has its name. Errors: already_exists (nothing is
/// ever overwritten), io.
[[nodiscard]] AXL_API Result<PrivateKey> make_key_file(const std::string& path);

/// Reads the key, or makes one where there is no such file. Of programs that start at once all get the same.
[[nodiscard]] AXL_API Result<PrivateKey> read_or_make_key_file(const std::string& path);

}  // namespace axl
