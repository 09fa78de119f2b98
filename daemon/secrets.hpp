// The key and the token that a config names by files.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <string>

namespace axl::daemon {

/// Reads a PEM key. A file that others may read is refused unless `insecure`, or handed over by systemd as a
/// credential, where it may seem that its group can read it.
[[nodiscard]] Result<PrivateKey> load_key(const std::string& path, bool insecure);

/// Reads a token: the file's text without white space at its ends. The same care as for a key.
[[nodiscard]] Result<std::string> load_token(const std::string& path, bool insecure);

}  // namespace axl::daemon
