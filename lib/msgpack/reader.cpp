#include "msgpack/reader.hpp"

#include <bit>
#include <optional>

#include "core/utf8.hpp"

namespace axl::msgpack {

namespace {

Error malformed(const char* what) { return {Errc::malformed, std::string{"MessagePack: "} + what}; }

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto size = utf8_length(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// Takes from the front; after a failure it has nothing left and `ok` is false.
struct Front {
  ByteSpan rest;
  bool ok = true;

  ByteSpan take(std::uint64_t size) {
    if (size > rest.size()) {
      ok = false;
      rest = {};
      return {};
    }
    const auto taken = rest.first(static_cast<std::size_t>(size));
    rest = rest.subspan(static_cast<std::size_t>(size));
    return taken;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const auto byte : take(size)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }
};

Value whole(std::uint64_t value) {
  if (value <= INT64_MAX) return static_cast<std::int64_t>(value);
  return value;
}

std::int64_t with_sign(std::uint64_t bits, int size) {
  const auto unused = 64 - 8 * size;
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

std::optional<Value> text(Front& in, std::uint64_t size) {
  const auto view = as_text(in.take(size));
  if (!in.ok || !is_utf8(view)) return std::nullopt;
  return view;
}

// Each element takes a byte at least, each pair two.
template <class Head>
std::optional<Value> head(Front& in, std::uint64_t size, std::uint64_t least) {
  if (!in.ok || size * least > in.rest.size()) return std::nullopt;
  return Head{static_cast<std::uint32_t>(size)};
}

std::optional<Value> ext(Front& in, std::uint64_t size) {
  const auto type = with_sign(in.number(1), 1);
  const auto bytes = in.take(size);
  if (!in.ok) return std::nullopt;
  return Ext{static_cast<std::int8_t>(type), bytes};
}

// Formats 0xc0 to 0xdf, by their low five bits.
std::optional<Value> wide(Front& in, unsigned format) {
  switch (format) {
    case 0xc0: return Nil{};
    case 0xc2: return false;
    case 0xc3: return true;
    case 0xc4:
    case 0xc5:
    case 0xc6: return in.take(in.number(std::size_t{1} << (format - 0xc4)));
    case 0xc7:
    case 0xc8:
    case 0xc9: return ext(in, in.number(std::size_t{1} << (format - 0xc7)));
    case 0xca: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(in.number(4))));
    case 0xcb: return std::bit_cast<double>(in.number(8));
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return whole(in.number(std::size_t{1} << (format - 0xcc)));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: {
      const auto size = 1 << (format - 0xd0);
      return with_sign(in.number(static_cast<std::size_t>(size)), size);
    }
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8: return ext(in, std::uint64_t{1} << (format - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb: return text(in, in.number(std::size_t{1} << (format - 0xd9)));
    case 0xdc: return head<Array>(in, in.number(2), 1);
    case 0xdd: return head<Array>(in, in.number(4), 1);
    case 0xde: return head<Map>(in, in.number(2), 2);
    case 0xdf: return head<Map>(in, in.number(4), 2);
    default: return std::nullopt;  // 0xc1 is never used
  }
}

std::optional<Value> any(Front& in) {
  const auto format = static_cast<unsigned>(in.number(1));
  if (format <= 0x7f) return static_cast<std::int64_t>(format);
  if (format <= 0x8f) return head<Map>(in, format & 0x0f, 2);
  if (format <= 0x9f) return head<Array>(in, format & 0x0f, 1);
  if (format <= 0xbf) return text(in, format & 0x1f);
  if (format >= 0xe0) return with_sign(format, 1);
  return wide(in, format);
}

}  // namespace

Result<Value> Reader::next() {
  Front in{rest_};
  if (rest_.empty()) return malformed("ends where a value should begin");
  const auto value = any(in);
  if (!value || !in.ok) return malformed("cut off, or no value");
  rest_ = in.rest;
  return *value;
}

Result<void> Reader::skip() {
  std::uint64_t left[kMaxDepth] = {1};
  int depth = 0;
  Reader in{rest_};
  while (depth >= 0) {
    if (left[depth] == 0) {
      --depth;
      continue;
    }
    --left[depth];
    const auto value = in.next();
    if (!value) return value.error();
    const auto* array = std::get_if<Array>(&*value);
    const auto* map = std::get_if<Map>(&*value);
    if (array == nullptr && map == nullptr) continue;
    if (++depth == kMaxDepth) return malformed("nested too deep");
    left[depth] = array != nullptr ? array->size : 2 * std::uint64_t{map->size};
  }
  rest_ = in.rest_;
  return {};
}

Result<std::string_view> Reader::text() {
  Reader ahead{rest_};
  const auto value = ahead.next();
  const auto* text = value ? std::get_if<std::string_view>(&*value) : nullptr;
  if (text == nullptr) return malformed("no text");
  *this = ahead;
  return *text;
}

Result<ByteSpan> Reader::bytes() {
  Reader ahead{rest_};
  const auto value = ahead.next();
  const auto* bytes = value ? std::get_if<ByteSpan>(&*value) : nullptr;
  const auto* text = value ? std::get_if<std::string_view>(&*value) : nullptr;
  if (bytes == nullptr && text == nullptr) return malformed("no bytes");
  *this = ahead;
  return bytes != nullptr ? *bytes : as_bytes(*text);
}

Result<std::int64_t> Reader::integer() {
  Reader ahead{rest_};
  const auto value = ahead.next();
  const auto* integer = value ? std::get_if<std::int64_t>(&*value) : nullptr;
  if (integer == nullptr) return malformed("no whole number of 64 bits with a sign");
  *this = ahead;
  return *integer;
}

Result<std::uint32_t> Reader::array() {
  Reader ahead{rest_};
  const auto value = ahead.next();
  const auto* array = value ? std::get_if<Array>(&*value) : nullptr;
  if (array == nullptr) return malformed("no array");
  *this = ahead;
  return array->size;
}

Result<std::uint32_t> Reader::map() {
  Reader ahead{rest_};
  const auto value = ahead.next();
  const auto* map = value ? std::get_if<Map>(&*value) : nullptr;
  if (map == nullptr) return malformed("no map");
  *this = ahead;
  return map->size;
}

}  // namespace axl::msgpack
