#include "errors.hpp"

#include <string>

namespace axl::python {

namespace nb = nanobind;

nb::object exception_of(const Error& error) {
  const bool ours = error.code().category() == error_category();
  const int code = ours ? error.code().value() : static_cast<int>(Errc::io);
  const std::string text = ours ? error.text() : error.text() + ": " + error.code().message();
  // What peers say need not be UTF-8.
  const auto decoded =
      nb::steal<nb::str>(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
  return nb::module_::import_("axl.errors").attr("_from_native")(code, decoded);
}

void raise(const Error& error) {
  const auto exception = exception_of(error);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  throw nb::python_error{};
}

}  // namespace axl::python
