#include "config_services.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "config_values.hpp"

namespace axl::daemon {

namespace {

constexpr std::int64_t kMaxProcesses = 4'096;
constexpr std::int64_t kDay = 86'400;

Error must_be(std::string_view what, const Value& value) {
  return Error{Errc::invalid_argument, fmt::format("must be {}, not {}", what, value.kind())};
}

Result<void> read_environment(const Value& value, std::vector<std::pair<std::string, std::string>>& out) {
  const auto* object = value.as<Object>();
  if (object == nullptr) return must_be("an object of strings", value);
  out.clear();
  for (const auto& [name, content] : *object) {
    const auto* text = content.as<std::string>();
    if (name.empty() || name.find('=') != std::string::npos) {
      return Error{Errc::invalid_argument, fmt::format("holds \"{}\", which is no name of a variable", name)};
    }
    if (text == nullptr) return must_be("an object of strings", content);
    out.emplace_back(name, *text);
  }
  return {};
}

Result<void> read_probe(const Value& value, std::optional<ServiceProbe>& out) {
  const auto* object = value.as<Object>();
  if (object == nullptr) return must_be("an object", value);
  ServiceProbe probe;
  for (const auto& [name, content] : *object) {
    Result<void> read;
    if (name == "path") {
      read = read_text(content, probe.path);
    } else if (name == "interval_secs") {
      read = read_seconds(content, kDay, probe.interval);
    } else {
      return Error{Errc::invalid_argument,
                   fmt::format("has an unknown member \"{}\"; it has path and interval_secs", name)};
    }
    if (!read) return Error{read.error().code(), fmt::format("{} {}", name, read.error().text())};
  }
  out = std::move(probe);
  return {};
}

struct Member {
  std::string_view name;
  Result<void> (*read)(const Value& value, NodeConfig::Service& service);
};

using Service = NodeConfig::Service;

constexpr std::array kMembers{
    Member{"url", [](const Value& v, Service& s) { return read_text(v, s.url); }},
    Member{"command", [](const Value& v, Service& s) { return read_texts(v, s.command.command); }},
    Member{"allow", [](const Value& v, Service& s) { return read_access(v, s.access); }},
    Member{"env", [](const Value& v, Service& s) { return read_environment(v, s.command.environment); }},
    Member{"directory", [](const Value& v, Service& s) { return read_text(v, s.command.directory); }},
    Member{"max_processes",
           [](const Value& v, Service& s) { return read_number(v, 1, kMaxProcesses, s.command.max_processes); }},
    Member{"max_processes_per_caller",
           [](const Value& v, Service& s) {
             return read_number(v, 1, kMaxProcesses, s.command.max_processes_per_caller);
           }},
    Member{"idle_secs", [](const Value& v, Service& s) { return read_seconds(v, kDay, s.command.idle); }},
    Member{"health", [](const Value& v, Service& s) { return read_probe(v, s.probe); }},
};

Result<void> read_service(const Object& object, Service& service) {
  for (const auto& [name, value] : object) {
    const Member* found = nullptr;
    for (const auto& member : kMembers) {
      if (member.name == name) found = &member;
    }
    if (found == nullptr) {
      return Error{Errc::invalid_argument,
                   fmt::format("has an unknown member \"{}\"; it has url or command, allow, env, directory, "
                               "max_processes, max_processes_per_caller, idle_secs, health",
                               name)};
    }
    if (const auto read = found->read(value, service); !read) {
      return Error{read.error().code(), fmt::format("{} {}", name, read.error().text())};
    }
  }
  return {};
}

}  // namespace

Result<void> read_keys(const Value& value, std::vector<PublicKey>& out) {
  std::vector<std::string> texts;
  if (auto read = read_texts(value, texts); !read) return read;
  out.clear();
  for (const auto& text : texts) {
    auto key = PublicKey::from_hex(text);
    if (!key)
      return Error{Errc::invalid_argument, fmt::format("must hold keys of 64 hexadecimal digits, not \"{}\"", text)};
    out.push_back(*key);
  }
  return {};
}

Result<void> read_access(const Value& value, std::optional<ServiceAccess>& out) {
  out.reset();
  if (value.as<std::nullptr_t>() != nullptr) return {};
  const auto* items = value.as<Array>();
  if (items != nullptr && items->size() == 1) {
    const auto* text = items->front().as<std::string>();
    if (text != nullptr && *text == "*") {
      out = ServiceAccess{.everyone = true};
      return {};
    }
  }
  ServiceAccess access{.everyone = false};
  if (auto read = read_keys(value, access.allow); !read) {
    return Error{read.error().code(), read.error().text() + "; [\"*\"] alone means everyone"};
  }
  out = std::move(access);
  return {};
}

Result<void> read_services(const Value& value, std::vector<NodeConfig::Service>& out) {
  out.clear();
  if (value.as<std::nullptr_t>() != nullptr) return {};
  const auto* object = value.as<Object>();
  if (object == nullptr) return must_be("an object of services", value);
  for (const auto& [name, content] : *object) {
    const auto* members = content.as<Object>();
    if (members == nullptr) {
      return Error{Errc::invalid_argument, fmt::format("\"{}\" must be an object, not {}", name, content.kind())};
    }
    NodeConfig::Service service{.name = name};
    if (const auto read = read_service(*members, service); !read) {
      return Error{read.error().code(), fmt::format("\"{}\" {}", name, read.error().text())};
    }
    out.push_back(std::move(service));
  }
  return {};
}

Result<void> read_policy(const Value& value, bool& deny) {
  std::string text;
  if (auto read = read_text(value, text); !read) return read;
  if (text.empty()) return {};
  if (text != "allow" && text != "deny") {
    return Error{Errc::invalid_argument, fmt::format("must be \"allow\" or \"deny\", not \"{}\"", text)};
  }
  deny = text == "deny";
  return {};
}

}  // namespace axl::daemon
