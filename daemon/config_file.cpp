#include "config_file.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "config_keys.hpp"
#include "config_text.hpp"
#include "files/file.hpp"
#include "hjson.hpp"

namespace axl::daemon {

namespace {
constexpr std::size_t kMaxFileSize = 4UL * 1024 * 1024;
}

bool is_loopback(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string text{host};
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24U == 127;
  in6_addr six{};
  return text == "localhost" || (inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

Result<FileConfig> parse_config(ByteSpan bytes) {
  auto text = decode_text(bytes);
  if (!text) return text.error();
  auto object = parse_hjson(*text);
  if (!object) return object.error();
  FileConfig config;
  for (const auto& [name, value] : *object) {
    const auto* key = find_key(name);
    if (key == nullptr) {
      config.warnings.push_back(
          fmt::format("unknown key \"{}\" (line {}); did you mean \"{}\"?", name, value.line(), nearest_key(name)));
      continue;
    }
    const auto warnings = config.warnings.size();
    if (auto applied = key->apply(value, config); !applied) {
      return Error{applied.error().code(),
                   fmt::format("{} {} (line {})", key->name, applied.error().text(), value.line())};
    }
    for (auto i = warnings; i < config.warnings.size(); ++i) {
      config.warnings[i] = fmt::format("{} {} (line {})", key->name, config.warnings[i], value.line());
    }
  }
  if (auto valid = config.node.validate(); !valid) return valid.error();
  const bool local = is_loopback(config.bridge_addr) || config.bridge_addr.starts_with("unix:");
  if (!local && config.node.api_token.empty() && config.api_token_file.empty()) {
    return Error{Errc::invalid_argument,
                 fmt::format("bridge_addr must be a loopback address or unix:/path, not \"{}\", unless api_token or "
                             "api_token_file guards the API",
                             config.bridge_addr)};
  }
  return config;
}

Result<FileConfig> load_config(const std::string& path) {
  auto bytes = files::read_file(path, kMaxFileSize);
  if (!bytes) return Error{bytes.error().code(), fmt::format("read config {}: {}", path, bytes.error().text())};
  auto config = parse_config(*bytes);
  if (!config) return Error{config.error().code(), fmt::format("parse config {}: {}", path, config.error().text())};
  return config;
}

}  // namespace axl::daemon
