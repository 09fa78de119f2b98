#include "service.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "values.hpp"

namespace axl::python {

namespace {

using ByteHeaders = std::vector<std::pair<nb::bytes, nb::bytes>>;

nb::bytes bytes_of(std::string_view text) { return nb::bytes{text.data(), text.size()}; }
std::string string_of(const nb::bytes& bytes) { return {bytes.c_str(), bytes.size()}; }

HeaderList headers_of(const ByteHeaders& headers) {
  HeaderList out;
  for (const auto& [name, value] : headers) out.emplace_back(string_of(name), string_of(value));
  return out;
}

nb::list headers(const ServiceCall& call) {
  nb::list out;
  for (const auto& [name, value] : call.request().headers) out.append(nb::make_tuple(bytes_of(name), bytes_of(value)));
  return out;
}

}  // namespace

ServiceCall::ServiceCall(ServiceRequest request, ServiceReply reply, const std::shared_ptr<Channel>& channel)
    : id_{channel->next_id()}, request_{std::move(request)}, reply_{std::move(reply)} {
  const auto tell = [channel, id = id_] { channel->push(Channel::Kind::changed, id, {}); };
  reply_.on_writable(tell);
  reply_.on_cancel(tell);
}

void bind_service(nb::module_& module) {
  nb::class_<ServiceCall>(module, "ServiceCall")
      .def_prop_ro("id", &ServiceCall::id)
      .def_prop_ro("caller", [](const ServiceCall& self) { return self.request().caller.to_hex(); })
      .def_prop_ro("service", [](const ServiceCall& self) { return text_of(self.request().service); })
      .def_prop_ro("method", [](const ServiceCall& self) { return text_of(self.request().method); })
      .def_prop_ro("path", [](const ServiceCall& self) { return bytes_of(self.request().path); })
      .def_prop_ro("query", [](const ServiceCall& self) { return bytes_of(self.request().query); })
      .def_prop_ro("headers", headers)
      .def_prop_ro("body", [](const ServiceCall& self) { return bytes_of(as_text(self.request().body)); })
      .def_prop_ro("connected", [](ServiceCall& self) { return self.reply().connected(); })
      .def_prop_ro("pending", [](ServiceCall& self) { return self.reply().pending(); })
      .def("start", [](ServiceCall& self, int status, const ByteHeaders& list) { self.reply().start(status, headers_of(list)); })
      .def("write", [](ServiceCall& self, const nb::bytes& piece) { self.reply().write(to_bytes(as_bytes({piece.c_str(), piece.size()}))); })
      .def("respond", [](ServiceCall& self, int status, const ByteHeaders& list, const nb::bytes& body) {
        self.reply().respond(status, headers_of(list), to_bytes(as_bytes({body.c_str(), body.size()})));
      })
      .def("finish", [](ServiceCall& self) { self.reply().finish(); })
      .def("abort", [](ServiceCall& self) { self.reply().abort(); });
}

}  // namespace axl::python
