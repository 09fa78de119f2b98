// Errors of the library as Python's exceptions: the classes are in axl/errors.py.
#pragma once

#include <nanobind/nanobind.h>

#include <axl/result.hpp>

namespace axl::python {

[[nodiscard]] nanobind::object exception_of(const Error& error);
[[noreturn]] void raise(const Error& error);

inline void check(const Result<void>& result) {
  if (!result) raise(result.error());
}
template <class T>
[[nodiscard]] T checked(Result<T> result) {
  if (!result) raise(result.error());
  return std::move(*result);
}

}  // namespace axl::python
