// Statuses, the text of the last failure, and the edge that no exception crosses.
#pragma once

#include <axl.h>

#include <algorithm>
#include <axl/error.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

namespace axl::c {

[[nodiscard]] axl_status status_of(const Error& error) noexcept;

/// Remembers the text for axl_last_error() of this thread.
axl_status fail(axl_status status, std::string_view text) noexcept;
axl_status fail(const Error& error) noexcept;

template <class T>
axl_status done(const Result<T>& result) noexcept {
  return result ? AXL_OK : fail(result.error());
}

/// What every function that can fail runs in.
template <class Task>
axl_status guarded(Task&& task) noexcept {
  try {
    return task();
  } catch (const std::bad_alloc&) {
    return fail(AXL_E_LIMIT_REACHED, "out of memory");
  } catch (const std::exception& failure) {
    return fail(AXL_E_INTERNAL, failure.what());
  } catch (...) {
    return fail(AXL_E_INTERNAL, "an unknown failure");
  }
}

inline axl_status missing(const char* argument) noexcept {
  return fail(AXL_E_INVALID_ARGUMENT, std::string_view{argument});
}

/// A copy for the caller, who frees it with axl_free. Throws bad_alloc.
[[nodiscard]] char* new_text(std::string_view text);

/// What the caller gave for an enumeration, which in C may be any number.
template <class Enum>
[[nodiscard]] int number_of(const Enum& given) noexcept {
  int number = 0;
  static_assert(sizeof number == sizeof given);
  std::memcpy(&number, &given, sizeof number);
  return number;
}

[[nodiscard]] inline PublicKey to_key(const axl_key& key) noexcept {
  return PublicKey{std::as_bytes(std::span<const std::uint8_t, PublicKey::kSize>{key.bytes})};
}
inline void from_key(const PublicKey& key, axl_key& out) noexcept {
  std::memcpy(out.bytes, key.bytes().data(), PublicKey::kSize);
}

/// For an accessor whose caller may have no place for it.
inline void give_key(const PublicKey& key, axl_key* out) noexcept {
  if (out != nullptr) from_key(key, *out);
}
inline const void* give_bytes(ByteSpan bytes, std::size_t* size) noexcept {
  if (size != nullptr) *size = bytes.size();
  return bytes.data();
}

[[nodiscard]] inline PrivateKey to_private_key(const std::uint8_t* seed) noexcept {
  const std::span<const std::uint8_t, PrivateKey::kSeedSize> bytes{seed, AXL_SEED_SIZE};
  return PrivateKey::from_seed(std::as_bytes(bytes));
}

[[nodiscard]] inline std::string to_string(const char* text) {
  return text == nullptr ? std::string{} : std::string{text};
}

[[nodiscard]] inline ByteSpan to_span(const void* data, std::size_t size) noexcept {
  return {static_cast<const std::byte*>(data), size};
}

/// The options that the caller gave, in our size. A caller of an older header gives fewer members: the others are zero.
/// One of a newer header may give more, as long as they are zero.
template <class T>
[[nodiscard]] Result<T> read_options(const T* given, std::size_t least) {
  constexpr std::size_t kMost = 4'096;  // no structure of ours will ever be so large
  T out;
  std::memset(&out, 0, sizeof out);
  out.struct_size = sizeof out;
  if (given == nullptr) return out;
  const auto size = given->struct_size;
  if (size < least || size > kMost) {
    return Error{Errc::invalid_argument, "struct_size is " + std::to_string(size) + ", not " +
                                             std::to_string(sizeof(T)) + ": use AXL_INIT"};
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (auto at = sizeof out; at < size; ++at) {
    if (bytes[at] != 0) return Error{Errc::not_supported, "an option is set that this version does not know"};
  }
  std::memcpy(&out, given, std::min(size, sizeof out));
  return out;
}

/// The size of a structure of the first version, whose last member was `member`.
#define AXL_SIZE_UP_TO(type, member) (offsetof(type, member) + sizeof(type::member))

}  // namespace axl::c
