// The MessagePack reader: it ends, stays within its input, and reads what the writer writes.

#include <bit>
#include <span>

#include "fuzz.hpp"
#include "msgpack/reader.hpp"
#include "msgpack/writer.hpp"

namespace {

using namespace axl;
using test::expect;

void write(msgpack::Writer& out, const msgpack::Value& value) {
  if (std::get_if<msgpack::Nil>(&value) != nullptr) out.nil();
  if (const auto* truth = std::get_if<bool>(&value)) out.boolean(*truth);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) out.integer(*integer);
  if (const auto* large = std::get_if<std::uint64_t>(&value)) out.unsigned_integer(*large);
  if (const auto* real = std::get_if<double>(&value)) out.real(*real);
  if (const auto* text = std::get_if<std::string_view>(&value)) out.text(*text);
  if (const auto* bytes = std::get_if<ByteSpan>(&value)) out.bytes(*bytes);
  if (const auto* array = std::get_if<msgpack::Array>(&value)) out.array(array->size);
  if (const auto* map = std::get_if<msgpack::Map>(&value)) out.map(map->size);
}

bool is_same_number(const msgpack::Value& a, const msgpack::Value& b) {
  const auto* left = std::get_if<double>(&a);
  const auto* right = std::get_if<double>(&b);
  return left == nullptr || std::bit_cast<std::uint64_t>(*left) == std::bit_cast<std::uint64_t>(*right);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span{data, size});
  msgpack::Reader whole{input};
  const bool skipped = whole.skip().ok();
  expect(skipped || whole.rest().size() == input.size(), "a failed skip stays where it is");
  msgpack::Reader in{input};
  std::size_t values = 0;
  while (const auto value = in.next()) {
    expect(++values <= size, "each value takes a byte at least");
    if (std::get_if<msgpack::Ext>(&*value) != nullptr) continue;
    msgpack::Writer out;
    write(out, *value);
    // Behind a head come its elements: a byte each is the least.
    if (const auto* array = std::get_if<msgpack::Array>(&*value)) {
      for (std::uint32_t i = 0; i < array->size; ++i) out.nil();
    }
    if (const auto* map = std::get_if<msgpack::Map>(&*value)) {
      for (std::uint64_t i = 0; i < 2 * std::uint64_t{map->size}; ++i) out.nil();
    }
    const auto written = std::move(out).take();
    msgpack::Reader again{written};
    const auto read = again.next();
    expect(read && read->index() == value->index() && is_same_number(*value, *read), "what is written is read");
  }
  return 0;
}
