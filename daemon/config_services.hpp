// The `services` of a config file, and the allow lists that go with them. Strict: a mistyped member would open what was
// meant to be closed, so an unknown one is an error here.
#pragma once

#include <axl/config.hpp>
#include <axl/result.hpp>
#include <optional>
#include <vector>

#include "hjson.hpp"

namespace axl::daemon {

/// Keys of 64 hex digits.
[[nodiscard]] Result<void> read_keys(const Value& value, std::vector<PublicKey>& out);
/// A list of keys, or ["*"] for everyone; null: not said.
[[nodiscard]] Result<void> read_access(const Value& value, std::optional<ServiceAccess>& out);
/// {"NAME": {"url": ...} or {"command": [...]}, ...}
[[nodiscard]] Result<void> read_services(const Value& value, std::vector<NodeConfig::Service>& out);
/// "allow" or "deny"; `deny` is set by the latter.
[[nodiscard]] Result<void> read_policy(const Value& value, bool& deny);

}  // namespace axl::daemon
