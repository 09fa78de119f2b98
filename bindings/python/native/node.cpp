#include "node.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "aggregation.hpp"
#include "conversation.hpp"
#include "lent_buffer.hpp"
#include "messages.hpp"
#include "pubsub.hpp"
#include "reader.hpp"
#include "service.hpp"
#include "values.hpp"
#include "views.hpp"

namespace axl::python {

namespace {

using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

nb::object nothing() { return nb::none(); }

nb::object report_of(const SendReport& report) {
  constexpr const char* kDeliveries[] = {"queued", "accepted", "handed_over"};
  return nb::make_tuple(kDeliveries[static_cast<std::size_t>(report.delivery)], report.id);
}

std::unique_ptr<Node> create(NodeConfig config, bool log, const std::shared_ptr<Channel>& channel) {
  config.run = RunMode::own_thread;
  if (log) {
    config.log = [channel](LogLevel level, std::string_view area, std::string_view text) {
      channel->offer(Channel::Kind::log, 0, [level, area = std::string{area}, text = std::string{text}]() -> nb::object {
        return nb::make_tuple(static_cast<int>(level), text_of(area), text_of(text));
      });
    };
  }
  auto node = [&] {
    const nb::gil_scoped_release unlocked;
    return Node::create(std::move(config));
  }();
  return checked(std::move(node));
}

ServiceAccess access_of(const std::optional<Strings>& allow) {
  if (!allow) return {};
  return {.everyone = false, .allow = keys_of(*allow)};
}

}  // namespace

NativeNode::NativeNode(NodeConfig config, bool log)
    : new_key_{!config.identity}, host_{create(std::move(config), log, channel_)} {
  host_.with([this](Node& node) {
    key_ = node.key().to_hex();
    address_ = node.address().to_string();
    node.on_event([channel = channel_](const NodeEvent& event) {
      channel->offer(Channel::Kind::event, 0, [event] { return dict_of(event); });
    });
  });
}

NativeNode::~NativeNode() { close(); }

void NativeNode::start() {
  check(host_.with([](Node& node) { return node.start(); }));
}

void NativeNode::stop() { host_.stop(); }

PubSub& NativeNode::pubsub() {
  return *checked(host_.with([this](Node& node) { return host_.parts().pubsub(node); }));
}

void NativeNode::attach(std::uint64_t target) {
  check(host_.with([&](Node& node) -> Result<void> {
    auto convergecast = host_.parts().attach(node, {.new_key = new_key_});
    if (!convergecast) return convergecast.error();
    listen_to_questions(**convergecast, channel_, target, contributes_);
    return {};
  }));
}

void NativeNode::close() {
  stop();
  channel_->close();
  channel_->release_buffers();
}

std::uint64_t NativeNode::send(std::string_view peer, nb::handle data, SendOptions options) {
  const auto key = key_of(peer);
  auto body = body_of(data, channel_);
  const auto id = channel_->next_id();
  host_.with([&](Node& node) {
    node.send(key, std::move(body), std::move(options), [channel = channel_, id](Result<SendReport> report) {
      channel->complete(id, std::move(report), report_of);
    });
  });
  return id;
}

std::uint64_t NativeNode::ping(std::string_view peer, double timeout) {
  const auto key = key_of(peer);
  const auto limit = duration_of(timeout);
  const auto id = channel_->next_id();
  host_.with([&](Node& node) {
    node.ping(key, limit, [channel = channel_, id](Result<Duration> round_trip) {
      channel->complete(id, std::move(round_trip), [](Duration time) -> nb::object { return nb::cast(seconds_of(time)); });
    });
  });
  return id;
}

std::uint64_t NativeNode::connect(std::string_view peer, std::uint16_t port) {
  const auto key = key_of(peer);
  const auto id = channel_->next_id();
  host_.with([&](Node& node) {
    node.connect(key, port, [channel = channel_, id](Result<Session> session) {
      if (!session) return channel->fail(id, session.error());
      channel->push(Channel::Kind::done, id, [made = Conversation::of(*std::move(session), channel)] { return nb::cast(made); });
    });
  });
  return id;
}

Backlog NativeNode::listen(std::uint16_t port) {
  Backlog backlog{.id = channel_->next_id(), .port = port};
  check(host_.with([&](Node& node) {
    return node.listen(port, [channel = channel_, id = backlog.id, waiting = backlog.waiting](Session session) {
      if (++*waiting > Backlog::kMost) {
        --*waiting;
        return session.abort();
      }
      channel->push(Channel::Kind::arrived, id, [made = Conversation::of(std::move(session), channel)] { return nb::cast(made); });
    });
  }));
  return backlog;
}

std::uint64_t NativeNode::add_handler_service(std::string name, ServiceAccess access, std::uint64_t target) {
  const auto handler = [channel = channel_, target](ServiceRequest request, ServiceReply reply) {
    auto call = std::make_shared<ServiceCall>(std::move(request), std::move(reply), channel);
    channel->push(Channel::Kind::arrived, target, [call = std::move(call)] { return nb::cast(call); });
  };
  return call(
      [name = std::move(name), access = std::move(access), handler](Node& node) {
        return node.router().add_service(name, access, handler);
      },
      nothing);
}

namespace {

void bind_reader(nb::module_& module) {
  nb::class_<Reader>(module, "Reader")
      .def_prop_ro("id", &Reader::id)
      .def("next",
           [](Reader& self, NativeNode& node) -> nb::object {
             auto leased = self.next(node.host());
             if (!leased) return nb::none();
             return nb::cast(std::move(leased->message));
           })
      .def("next_lease",
           [](Reader& self, NativeNode& node) -> nb::object {
             auto leased = self.next(node.host());
             if (!leased) return nb::none();
             return nb::make_tuple(nb::cast(std::move(leased->message)), leased->id.message, leased->id.reading);
           })
      .def("close", [](Reader& self, NativeNode& node) { self.close(node.host()); });
}

void bind_conversation(nb::module_& module) {
  using Self = Conversation;
  nb::class_<Self>(module, "Conversation")
      .def_prop_ro("id", &Self::id)
      .def_prop_ro("peer", [](Self& self) { return self.session().peer().to_hex(); })
      .def_prop_ro("local_port", [](Self& self) { return self.session().local_port(); })
      .def_prop_ro("remote_port", [](Self& self) { return self.session().remote_port(); })
      .def_prop_ro("pending", [](Self& self) { return self.session().pending(); })
      .def_prop_ro("congested", [](Self& self) { return self.session().congested(); })
      .def_prop_ro("held", &Self::held)
      .def_prop_ro("ended", &Self::ended)
      .def_prop_ro("closed", &Self::closed)
      .def_prop_ro("error",
                   [](Self& self) -> nb::object {
                     const auto error = self.error();
                     if (!error) return nb::none();
                     return exception_of(*error);
                   })
      .def("read_bytes", &Self::read_bytes)
      .def("read_messages", &Self::read_messages)
      .def("take_bytes", &Self::take_bytes)
      .def("take_message",
           [](Self& self) -> nb::object {
             auto body = self.take_message();
             if (!body) return nb::none();
             return view_of(std::move(*body));
           })
      .def("write",
           [](Self& self, nb::handle data) {
             auto body = body_of(data, self.channel());
             check([&] {
               const nb::gil_scoped_release unlocked;
               return self.session().write(std::move(body));
             }());
           })
      .def("send_message",
           [](Self& self, nb::handle data) {
             auto body = body_of(data, self.channel());
             check([&] {
               const nb::gil_scoped_release unlocked;
               return self.session().send_message(std::move(body));
             }());
           })
      .def("finish", [](Self& self) { self.session().finish(); })
      .def("close", [](Self& self) { self.session().close(); })
      .def("abort", [](Self& self) { self.session().abort(); });
}

void bind_operations(nb::class_<NativeNode>& type) {
  using Self = NativeNode;
  type.def("send",
           [](Self& self, std::string_view peer, nb::handle data, std::string id, std::string topic, bool receipt, double retry_for) {
             return self.send(peer, data, {.id = std::move(id), .topic = std::move(topic), .receipt = receipt, .retry_for = duration_of(retry_for)});
           })
      .def("ping", &Self::ping)
      .def("connect", &Self::connect)
      .def("listen", &Self::listen)
      .def("stop_listening", [](Self& self, std::uint16_t port) { self.host().with([&](Node& node) { node.stop_listening(port); }); })
      .def("reader",
           [](Self& self, std::string topic, const std::optional<std::string>& sender, std::size_t ready, bool keep, double time) {
             Reader::Options options{.wanted = {.topic = std::move(topic)}, .ready = ready, .keep = keep, .time = duration_of(time)};
             if (sender) options.wanted.sender = key_of(*sender);
             return std::make_shared<Reader>(self.channel(), std::move(options));
           },
           nb::arg(), nb::arg().none(), nb::arg(), nb::arg(), nb::arg())
      .def("confirm",
           [](Self& self, std::uint64_t message, std::uint64_t reading) {
             return self.call([=](Node& node) { return Result<bool>{node.router().confirm({message, reading})}; },
                              [](bool done) -> nb::object { return nb::bool_(done); });
           })
      .def("give_back",
           [](Self& self, std::uint64_t message, std::uint64_t reading) {
             return self.call([=](Node& node) { return Result<bool>{node.router().give_back({message, reading})}; },
                              [](bool done) -> nb::object { return nb::bool_(done); });
           })
      .def("add_peer",
           [](Self& self, std::string uri, std::string interface) {
             return self.call([uri = std::move(uri), interface = std::move(interface)](Node& node) { return node.add_peer(uri, interface); }, nothing);
           })
      .def("remove_peer",
           [](Self& self, std::string uri, std::string interface) {
             return self.call([uri = std::move(uri), interface = std::move(interface)](Node& node) { return node.remove_peer(uri, interface); }, nothing);
           })
      .def("add_listener",
           [](Self& self, std::string uri) {
             return self.call([uri = std::move(uri)](Node& node) { return node.add_listener(uri); },
                              [](const std::string& bound) -> nb::object { return text_of(bound); });
           })
      .def("drain", [](Self& self, double grace) {
        self.host().with([time = duration_of(grace)](Node& node) { node.drain(time); });
      });
}

void bind_views(nb::class_<NativeNode>& type) {
  using Self = NativeNode;
  type.def("topology", [](Self& self) {
        return self.call([](Node& node) { return Result<Topology>{node.topology()}; }, [](const Topology& value) { return dict_of(value); });
      })
      .def("statistics",
           [](Self& self) {
             return self.call([](Node& node) { return Result<Statistics>{node.statistics()}; }, [](const Statistics& value) { return dict_of(value); });
           })
      .def("known_nodes",
           [](Self& self, std::size_t limit, const std::optional<std::string>& after) {
             std::optional<PublicKey> from;
             if (after) from = key_of(*after);
             return self.call(
                 [limit, from](Node& node) { return Result<std::vector<KnownNode>>{node.known_nodes(limit, from ? &*from : nullptr)}; },
                 [](const std::vector<KnownNode>& list) -> nb::object {
                   nb::list out;
                   for (const auto& known : list) out.append(dict_of(known));
                   return nb::object{out};
                 });
           },
           nb::arg(), nb::arg().none())
      .def("known_node",
           [](Self& self, std::string_view peer) {
             return self.call([key = key_of(peer)](Node& node) { return node.known_node(key); }, [](const KnownNode& value) { return dict_of(value); });
           })
      .def("services", [](Self& self) {
        return self.call([](Node& node) { return Result<std::vector<ServiceInfo>>{node.router().services()}; },
                         [](const std::vector<ServiceInfo>& list) -> nb::object {
                           nb::list out;
                           for (const auto& service : list) out.append(dict_of(service));
                           return nb::object{out};
                         });
      });
}

void bind_services(nb::class_<NativeNode>& type) {
  using Self = NativeNode;
  type.def("serve_api",
           [](Self& self, std::string host, std::uint16_t port) {
             check(self.host().with([&](Node& node) { return self.host().parts().serve(node); }));
             return self.call([host = std::move(host), port](Node& node) { return node.serve_api(host, port); },
                              [](std::uint16_t bound) -> nb::object { return nb::cast(bound); });
           })
      .def("serve_router",
           [](Self& self, std::string host, std::uint16_t port) {
             return self.call([host = std::move(host), port](Node& node) { return node.serve_router(host, port); },
                              [](std::uint16_t bound) -> nb::object { return nb::cast(bound); });
           })
      .def("new_id", [](Self& self) { return self.channel()->next_id(); })
      .def("add_handler",
           [](Self& self, std::string name, const std::optional<Strings>& allow, std::uint64_t target) {
             return self.add_handler_service(std::move(name), access_of(allow), target);
           },
           nb::arg(), nb::arg().none(), nb::arg())
      .def("add_url",
           [](Self& self, std::string name, std::string url, const std::optional<Strings>& allow, const std::optional<std::string>& probe,
              double interval) {
             std::optional<ServiceProbe> asked;
             if (probe) asked = ServiceProbe{.path = *probe, .interval = duration_of(interval)};
             return self.call(
                 [name = std::move(name), url = std::move(url), access = access_of(allow), asked](Node& node) {
                   return node.router().add_service(name, url, access, asked);
                 },
                 nothing);
           },
           nb::arg(), nb::arg(), nb::arg().none(), nb::arg().none(), nb::arg())
      .def("add_command",
           [](Self& self, std::string name, Strings command, const std::optional<Strings>& allow, Pairs environment, std::string directory,
              std::size_t processes, std::size_t per_caller, double idle) {
             return self.call(
                 [name = std::move(name), access = access_of(allow),
                  program = ServiceCommand{.command = std::move(command),
                                           .environment = std::move(environment),
                                           .directory = std::move(directory),
                                           .max_processes = processes,
                                           .max_processes_per_caller = per_caller,
                                           .idle = duration_of(idle)}](Node& node) { return node.router().add_service(name, program, access); },
                 nothing);
           },
           nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg())
      .def("remove_service", [](Self& self, std::string name) {
        return self.call([name = std::move(name)](Node& node) { return Result<bool>{node.router().remove_service(name)}; },
                         [](bool done) -> nb::object { return nb::bool_(done); });
      });
}

}  // namespace

void bind_node(nb::module_& module) {
  bind_reader(module);
  bind_conversation(module);
  nb::class_<Backlog>(module, "Backlog")
      .def_ro("id", &Backlog::id)
      .def_ro("port", &Backlog::port)
      .def("taken", [](Backlog& self) { --*self.waiting; });
  nb::class_<NativeNode> type{module, "NativeNode", nb::is_weak_referenceable()};
  type.def(nb::init<NodeConfig, bool>())
      .def_prop_ro("key", &NativeNode::key)
      .def_prop_ro("address", &NativeNode::address)
      .def_prop_ro("descriptor", [](NativeNode& self) { return self.channel()->descriptor(); })
      .def("listeners", [](NativeNode& self) { return self.host().with([](Node& node) { return node.listeners(); }); })
      .def("start", &NativeNode::start)
      .def("stop", &NativeNode::stop)
      .def("close", &NativeNode::close)
      .def("take", [](NativeNode& self) { return self.channel()->take(); });
  bind_operations(type);
  bind_views(type);
  bind_services(type);
  bind_pubsub(type);
  bind_aggregation(type);
}

}  // namespace axl::python
