// The command line: long options with one dash or two, and a value behind a blank or `=`. What is no option is ignored.
//
// Source: bridge, section 1.1.
#pragma once

#include <axl/result.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace axl::daemon {

enum class Action : std::uint8_t { run, demo, help, help_config, version, check_config, genkey };

struct Options {
  Action action = Action::run;
  std::string config_path = "node-config.json";
  std::vector<std::string> listen;           ///< in front of the config's
  std::optional<std::uint16_t> api_port;     ///< 0: any free port
  std::optional<std::uint16_t> router_port;  ///< 0: any free port
  std::string private_key_path;              ///< instead of the config's
  std::string new_key_path;                  ///< of genkey
  bool insecure_key_file = false;
  bool strict = false;  ///< a listener that cannot be opened, or a warning of the config, ends the program
  bool compat_log = true;
  bool verbose = false;
};

/// The error's text is what to print before the usage; exit status 2.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string> arguments);

[[nodiscard]] std::string usage();

}  // namespace axl::daemon
