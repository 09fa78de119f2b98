// Which machine the authority of a URL means, where all readers of URLs agree.
//
// They do not always: to some `127.1`, `2130706433` and `0x7f.1` are 127.0.0.1, an escape in a name is what it stands
// for, a backslash ends the name, and `010` is eight. A hostile agent could name our own local API in a way that only
// its victim's reader understands, so whatever is not plain is unclear, and nobody is sent there.
//
// Pure. WHATWG URL, sections 3.5 and 4.4; RFC 3986, section 3.2.
#pragma once

#include <cstdint>
#include <string_view>

namespace axl::a2a {

enum class CardHost : std::uint8_t {
  elsewhere,
  loopback,  ///< the machine on which it is read; unspecified addresses too
  overlay,   ///< the agent's node
  unclear,
};

/// `overlay`: the node's address, without brackets; may be empty.
[[nodiscard]] CardHost card_host(std::string_view authority, std::string_view overlay);

}  // namespace axl::a2a
