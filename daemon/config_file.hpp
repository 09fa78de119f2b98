// Reads a config file: one reader for JSON and the HJSON that people write, strict about types.
//
// Keys match in any case, and the last of several wins. A wrong type or a value outside its limits is an error that
// names the key; an unknown key is a warning that names the nearest known one. A value of 0 or "" means the default.
//
// Source: bridge, section 1.2.
#pragma once

#include <axl/config.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace axl::daemon {

struct FileConfig {
  NodeConfig node;               ///< complete except for the identity when private_key_path is set
  std::string private_key_path;  ///< relative to the working directory; stands above an inline key
  std::string api_token_file;    ///< stands above node.api_token
  std::string bridge_addr = "127.0.0.1";
  std::uint16_t api_port = 9002;
  bool legacy_patterns = false;  ///< programs of the older kind in publish/subscribe and aggregation
  bool serve_router = true;  ///< on node.router_port, unless another router is named
  std::vector<std::string> warnings;
};

/// Reads and checks the text of a config file.
[[nodiscard]] Result<FileConfig> parse_config(ByteSpan bytes);

/// Reads the file; errors read `read config F: ...` and `parse config F: ...`.
[[nodiscard]] Result<FileConfig> load_config(const std::string& path);

/// The host part of a URL-like address: brackets around IPv6 are optional. Empty when it is no IP address or localhost.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace axl::daemon
