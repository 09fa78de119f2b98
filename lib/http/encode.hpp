// Writes heads. The lines that say how a message is framed (Content-Length, Transfer-Encoding, Connection) are written
// here and nowhere else: those names are left out of the caller's headers, so that no message is framed twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/buffer.hpp"
#include "http/message.hpp"

namespace axl::http {

struct Framing {
  std::optional<std::uint64_t> content_length = {};
  bool chunked = false;
  std::string_view connection = {};  ///< value of the Connection line; empty for none
};

/// `more`: further lines. `tailroom` unused bytes behind the head, for a body that follows at once. `server` is the
/// Server line's value, empty for none.
[[nodiscard]] Buffer encode_response_head(Version version, int status, std::string_view reason, const Headers& headers,
                                          const Headers& more, const Framing& framing, std::string_view server,
                                          std::size_t tailroom);

[[nodiscard]] Buffer encode_request_head(std::string_view method, std::string_view target, const Headers& headers,
                                         const Framing& framing, std::size_t tailroom);

/// `5\r\n` before a chunk of five bytes.
[[nodiscard]] Buffer encode_chunk_size(std::size_t size, std::size_t tailroom);

}  // namespace axl::http
