// Peer ids and message ids as applications write and read them.
//
// Source: bridge, section 2.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/host.hpp"

namespace axl::bridge {

/// The full key that a destination stands for, when it is partial and we know one. Section 2, rule 3.
[[nodiscard]] PublicKey resolve(const PublicKey& destination, const Host& host);

/// Printable ASCII, at most `max_size` bytes, not empty.
[[nodiscard]] bool is_name(std::string_view text, std::size_t max_size) noexcept;

/// 128 random bits in hexadecimal.
[[nodiscard]] std::string make_message_id(Rng& rng);

}  // namespace axl::bridge
