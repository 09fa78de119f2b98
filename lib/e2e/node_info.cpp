#include <simdjson.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json_text.hpp"
#include "e2e/remote_protocol.hpp"

namespace axl::e2e {

namespace {

constexpr std::size_t kMaxNodeInfo = 16'384;

using Field = std::pair<std::string, std::string>;  // the key itself, and the value as JSON text

std::string to_text(simdjson::dom::element value);

// Keys come out sorted; of a repeated one the last stays, as the reference's parser has it.
std::string join(std::vector<Field> fields) {
  std::ranges::stable_sort(fields, {}, &Field::first);
  std::string out{'{'};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i + 1 < fields.size() && fields[i].first == fields[i + 1].first) continue;
    if (out.size() > 1) out += ',';
    out += json::quote(fields[i].first) + ':' + fields[i].second;
  }
  return out += '}';
}

std::vector<Field> fields_of(simdjson::dom::object object) {
  std::vector<Field> fields;
  for (const auto field : object) fields.emplace_back(field.key, to_text(field.value));
  return fields;
}

// As deep as the parser lets a document be, which is 1024 levels.
std::string to_text(simdjson::dom::element value) {
  simdjson::dom::object object;
  if (value.get(object) == simdjson::SUCCESS) return join(fields_of(object));
  simdjson::dom::array array;
  if (value.get(array) == simdjson::SUCCESS) {
    std::string out{'['};
    for (const auto element : array) {
      if (out.size() > 1) out += ',';
      out += to_text(element);
    }
    return out += ']';
  }
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return json::quote(text);
  return simdjson::minify(value);
}

}  // namespace

Result<std::string> node_info_text(const Config& config) {
  if (config.node_info.size() > kMaxNodeInfo) return Error{Errc::too_large, "NodeInfo"};
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(config.node_info).get(object) != simdjson::SUCCESS) {
    return Error{Errc::invalid_argument, "NodeInfo is no JSON object"};
  }
  auto fields = fields_of(object);
  if (!config.node_info_private) {
    fields.emplace_back("buildname", json::quote(config.build_name));
    fields.emplace_back("buildversion", json::quote(config.build_version));
    fields.emplace_back("buildplatform", json::quote(build_platform()));
    fields.emplace_back("buildarch", json::quote(build_arch()));
  }
  auto text = join(std::move(fields));
  if (text.size() > kMaxNodeInfo) return Error{Errc::too_large, "NodeInfo"};
  return text;
}

}  // namespace axl::e2e
