#include "vectors.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

namespace axl::test {

namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "test vectors: %s\n", why.c_str());
  std::abort();
}

struct Loaded {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
};

}  // namespace

simdjson::dom::element load_vectors(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Loaded>> cache;
  auto& entry = cache[name];
  if (!entry) {
    entry = std::make_unique<Loaded>();
    const auto path = name.starts_with('/') ? name : std::string{AXL_VECTORS_DIR "/"} + name;
    const auto error = entry->parser.load(path).get(entry->root);
    if (error) give_up(path + ": " + simdjson::error_message(error));
  }
  return entry->root;
}

std::string_view text(simdjson::dom::element value) {
  std::string_view view;
  if (value.get(view)) give_up("a string was expected");
  return view;
}

Bytes hex(simdjson::dom::element value) {
  auto bytes = from_hex(text(value));
  if (!bytes) give_up("hex digits were expected, not '" + std::string{text(value)} + "'");
  return *std::move(bytes);
}

std::uint64_t u64(simdjson::dom::element value) {
  std::uint64_t number = 0;
  if (value.is_string()) {
    const std::string digits{text(value)};
    char* end = nullptr;
    number = std::strtoull(digits.c_str(), &end, 10);
    if (digits.empty() || *end != '\0') give_up("a decimal number was expected, not '" + digits + "'");
    return number;
  }
  if (value.get(number)) give_up("an unsigned number was expected");
  return number;
}

bool has(simdjson::dom::element object, std::string_view member) {
  simdjson::dom::element found;
  return !object[member].get(found) && !found.is_null();
}

}  // namespace axl::test
