#include "options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace axl::daemon {

namespace {

struct Flag {
  std::string_view name;
  std::string_view value;  // what it takes; empty: nothing
  std::string_view help;
  Result<void> (*apply)(Options& options, std::string_view value);
};

template <Action action>
Result<void> act(Options& options, std::string_view) {
  options.action = action;
  return {};
}

Result<void> read_port(std::string_view flag, std::string_view value, std::optional<std::uint16_t>& out) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
  if (error != std::errc{} || end != value.data() + value.size()) {
    return Error{Errc::invalid_argument,
                 fmt::format("invalid value \"{}\" for flag -{}: a port from 0 to 65535 is needed", value, flag)};
  }
  out = port;
  return {};
}

Result<void> set_log_format(Options& options, std::string_view value) {
  if (value != "compat" && value != "text") {
    return Error{Errc::invalid_argument,
                 fmt::format("invalid value \"{}\" for flag -log-format: compat or text is needed", value)};
  }
  options.compat_log = value == "compat";
  return {};
}

constexpr std::array kFlags{
    Flag{"config", "FILE", "config file (default node-config.json)",
         [](Options& o, std::string_view v) -> Result<void> {
           o.config_path = v;
           return {};
         }},
    Flag{"key", "FILE", "private key file, instead of the config's",
         [](Options& o, std::string_view v) -> Result<void> {
           o.private_key_path = v;
           return {};
         }},
    Flag{"listen", "URI", "also listen on this URI, in front of those of the config; may be repeated",
         [](Options& o, std::string_view v) -> Result<void> {
           o.listen.emplace_back(v);
           return {};
         }},
    Flag{"api-port", "N", "port of the HTTP API, instead of the config's; 0: any free one, printed",
         [](Options& o, std::string_view v) { return read_port("api-port", v, o.api_port); }},
    Flag{"router-port", "N", "port of our own MCP router's API, instead of the config's; 0: any free one, printed",
         [](Options& o, std::string_view v) { return read_port("router-port", v, o.router_port); }},
    Flag{"demo", "", "two nodes in this process that talk to each other, and how to try them with curl",
         act<Action::demo>},
    Flag{"check-config", "", "read the config and the key, say what is wrong with them, and end",
         act<Action::check_config>},
    Flag{"genkey", "FILE", "write a new private key with mode 0600, print the public key, and end; never overwrites",
         [](Options& o, std::string_view v) -> Result<void> {
           o.action = Action::genkey;
           o.new_key_path = v;
           return {};
         }},
    Flag{"insecure-key-file", "", "accept a key file that others may read",
         [](Options& o, std::string_view) -> Result<void> {
           o.insecure_key_file = true;
           return {};
         }},
    Flag{"strict", "", "end with an error where a warning would do: unknown keys, listeners that cannot be opened",
         [](Options& o, std::string_view) -> Result<void> {
           o.strict = true;
           return {};
         }},
    Flag{"log-format", "compat|text",
         "compat (default): lines as the reference writes them; text: time and level on each", set_log_format},
    Flag{"verbose", "", "log more",
         [](Options& o, std::string_view) -> Result<void> {
           o.verbose = true;
           return {};
         }},
    Flag{"help-config", "", "print the table of all config keys, and end", act<Action::help_config>},
    Flag{"version", "", "print the version, and end", act<Action::version>},
    Flag{"help", "", "print this, and end", act<Action::help>},
    Flag{"h", "", "the same", act<Action::help>},
};

}  // namespace

Result<Options> parse_options(std::span<const std::string> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--") break;
    if (!argument.starts_with('-') || argument == "-") continue;
    argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
    const auto equals = argument.find('=');
    const auto name = argument.substr(0, equals);
    const auto flag = std::ranges::find(kFlags, name, &Flag::name);
    if (flag == kFlags.end()) {
      return Error{Errc::invalid_argument, fmt::format("flag provided but not defined: -{}", name)};
    }
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
      if (flag->value.empty()) return Error{Errc::invalid_argument, fmt::format("flag -{} takes no value", name)};
    } else if (!flag->value.empty()) {
      if (++i >= arguments.size())
        return Error{Errc::invalid_argument, fmt::format("flag needs an argument: -{}", name)};
      value = arguments[i];
    }
    if (!flag->value.empty() && value.empty()) {
      return Error{Errc::invalid_argument, fmt::format("flag needs an argument: -{}", name)};
    }
    if (auto applied = flag->apply(options, value); !applied) return applied.error();
  }
  return options;
}

std::string usage() {
  std::string out = "Usage of axld:\n";
  for (const auto& flag : kFlags) {
    out += fmt::format("  -{}{}{}\n        {}\n", flag.name, flag.value.empty() ? "" : " ", flag.value, flag.help);
  }
  return out + "Options may be written with one dash or two, values behind a blank or '='.\n";
}

}  // namespace axl::daemon
