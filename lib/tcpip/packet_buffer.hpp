// Packets on their way in and out of lwIP without needless copies: a received packet is lent to lwIP as it is and comes
// back as the payload's Buffer; one on its way out is put together once, with room in front for the headers below.
#pragma once

#include "core/buffer.hpp"
#include "tcpip/lwip.hpp"

namespace axl::tcpip {

/// A pbuf that owns `packet` (not empty, at most 65 535 bytes).
[[nodiscard]] pbuf* lend(Buffer packet);
/// The bytes that lwIP left in one pbuf of a chain; moves when it is a lent one that nobody else refers to.
[[nodiscard]] Buffer take_back(pbuf* piece);
/// The whole chain as one packet. A TCP segment gets its checksum on the way (RFC 9293, section 3.1, RFC 8200, section
/// 8.1); lwIP has left that field zero.
[[nodiscard]] Buffer assemble(const pbuf* chain);

}  // namespace axl::tcpip
