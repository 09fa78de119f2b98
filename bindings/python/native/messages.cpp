#include "messages.hpp"

#include <nanobind/stl/string.h>

#include "values.hpp"

namespace axl::python {

namespace {

int fill_buffer(PyObject* exporter, Py_buffer* view, int flags) {
  static char nothing = 0;
  const auto& body = nb::inst_ptr<Body>(exporter)->body;
  auto* data = body.empty() ? &nothing : const_cast<char*>(reinterpret_cast<const char*>(body.data()));
  return PyBuffer_FillInfo(view, exporter, data, static_cast<Py_ssize_t>(body.size()), 1, flags);
}

PyType_Slot body_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(fill_buffer)}, {0, nullptr}};

}  // namespace

nb::object view_of(MessageBody body) {
  const nb::object exporter = nb::cast(Body{std::move(body)});
  return nb::steal(PyMemoryView_FromObject(exporter.ptr()));
}

void bind_messages(nb::module_& module) {
  nb::class_<Body>(module, "Body", nb::type_slots(body_slots));
  nb::class_<Message>(module, "Message")
      .def_prop_ro("sender", [](const Message& self) { return self.sender.to_hex(); })
      .def_prop_ro("address", [](const Message& self) { return self.address.to_string(); })
      .def_prop_ro("id", [](const Message& self) { return text_of(self.id); })
      .def_prop_ro("topic", [](const Message& self) { return text_of(self.topic); })
      .def_prop_ro("body", [](const Message& self) { return view_of(self.body); })
      .def("__len__", [](const Message& self) { return self.body.size(); })
      .def("__repr__", [](const Message& self) {
        return nb::str("<axl.Message {} of {} bytes from {}>")
            .attr("format")(text_of(self.id), self.body.size(), self.sender.to_hex().substr(0, 16));
      });
}

}  // namespace axl::python
