// The one table of all keys of a config file: what they are called, what they take, and what they do. The reader, the
// help text and the README's table come from it.
#pragma once

#include <axl/result.hpp>
#include <span>
#include <string>
#include <string_view>

#include "config_file.hpp"
#include "hjson.hpp"

namespace axl::daemon {

struct ConfigKey {
  std::string_view name;
  std::string_view type;
  std::string_view default_text;
  std::string_view limits;
  std::string_view help;
  /// Puts the value into the config. The error says what is needed ("must be ..."); the caller names key and line.
  Result<void> (*apply)(const Value& value, FileConfig& config);
};

[[nodiscard]] std::span<const ConfigKey> config_keys();

/// Null when no key has that name in any case.
[[nodiscard]] const ConfigKey* find_key(std::string_view name);
/// The known key that looks most like `name`.
[[nodiscard]] std::string_view nearest_key(std::string_view name);

/// The table in Markdown, as the README shows it and `axld --help-config` prints it.
[[nodiscard]] std::string config_table();

}  // namespace axl::daemon
