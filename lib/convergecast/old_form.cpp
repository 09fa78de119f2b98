#include "convergecast/old_form.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "msgpack/reader.hpp"
#include "msgpack/writer.hpp"

namespace axl::convergecast {

namespace {

constexpr std::string_view kType = "convergecast_data";

Error malformed(const char* what) { return {Errc::malformed, std::string{"old aggregation message: "} + what}; }

std::optional<Number> number_of(const msgpack::Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return Number{*integer};
  std::optional<double> real;
  if (const auto* large = std::get_if<std::uint64_t>(&value)) real = static_cast<double>(*large);
  if (const auto* given = std::get_if<double>(&value)) real = *given;
  if (!real) return std::nullopt;
  const auto number = Number::from_double(*real);
  return number ? std::optional{*number} : std::nullopt;
}

Result<std::vector<std::pair<std::string, Number>>> read_data(msgpack::Reader& in) {
  const auto size = in.map();
  if (!size || *size > kMaxAggregationGroups) return malformed("data is no map of at most 256 entries");
  std::map<std::string, Number> data;
  for (std::uint32_t i = 0; i < *size; ++i) {
    const auto name = in.text();
    if (!name || !is_group(*name)) return malformed("a name in data");
    const auto value = in.next();
    const auto number = value ? number_of(*value) : std::nullopt;
    if (!number) return malformed("a value in data is no number");
    if (!data.emplace(*name, *number).second) return malformed("a name twice");
  }
  return std::vector<std::pair<std::string, Number>>{data.begin(), data.end()};
}

}  // namespace

Result<OldPart> read_old_part(ByteSpan body) {
  if (body.size() > kMaxBody) return malformed("too long");
  msgpack::Reader in{body};
  const auto members = in.map();
  if (!members || *members > 64) return malformed("no map of a few members");
  OldPart part;
  bool typed = false;
  bool named = false;
  bool signed_for = false;
  bool filled = false;
  for (std::uint32_t i = 0; i < *members; ++i) {
    const auto member = in.text();
    if (!member) return member.error();
    if (*member == "type") {
      const auto type = in.text();
      typed = type && *type == kType;
      if (!typed) return malformed("another type");
    } else if (*member == "session_id") {
      const auto session = in.text();
      named = session && is_name(*session);
      if (!named) return malformed("session_id");
      part.session = *session;
    } else if (*member == "from") {
      const auto text = in.text();
      const auto key = text ? PublicKey::from_hex(*text) : Result<PublicKey>{text.error()};
      if (!key) return malformed("from is no key");
      part.from = *key;
      signed_for = true;
    } else if (*member == "data") {
      auto data = read_data(in);
      if (!data) return data.error();
      part.data = std::move(*data);
      filled = true;
    } else if (const auto skipped = in.skip(); !skipped) {
      return skipped.error();
    }
  }
  if (!in.at_end()) return malformed("bytes behind it");
  if (!typed || !named || !signed_for || !filled) return malformed("a member is missing");
  return part;
}

Bytes encode(const OldPart& part) {
  msgpack::Writer out;
  out.map(4).text("type").text(kType).text("session_id").text(part.session);
  out.text("from").text(part.from.to_hex()).text("data").map(static_cast<std::uint32_t>(part.data.size()));
  for (const auto& [name, value] : part.data) {
    out.text(name);
    if (value.is_integer()) {
      out.integer(value.integer());
    } else {
      out.real(value.to_double());
    }
  }
  return std::move(out).take();
}

}  // namespace axl::convergecast
