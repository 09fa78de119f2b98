// Bytes of a Python object, lent to the library: bytes, memoryview, array, NumPy, whatever has the buffer protocol.
#pragma once

#include <axl/message.hpp>
#include <memory>

#include "channel.hpp"

namespace axl::python {

/// Large ones are not copied: the object is kept until the library lets go, and given back by `channel`. It must not be
/// changed for as long. Raises TypeError or BufferError for what is no buffer, or none in one piece.
[[nodiscard]] MessageBody body_of(nb::handle object, const std::shared_ptr<Channel>& channel);

}  // namespace axl::python
