// Bodies and messages that have arrived, as Python objects with the buffer protocol: nothing is copied.
#pragma once

#include <nanobind/nanobind.h>

#include <axl/message.hpp>

namespace axl::python {

namespace nb = nanobind;

/// Exports its bytes, read-only.
struct Body {
  MessageBody body;
};

/// A memoryview of a Body.
[[nodiscard]] nb::object view_of(MessageBody body);
void bind_messages(nb::module_& module);

}  // namespace axl::python
