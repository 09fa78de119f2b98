#include "config.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <axl/config.hpp>
#include <axl/key_file.hpp>

#include "values.hpp"

namespace axl::python {

namespace {

using Strings = std::vector<std::string>;

template <Duration NodeConfig::* Member>
void bind_time(nb::class_<NodeConfig>& type, const char* name) {
  type.def_prop_rw(
      name, [](const NodeConfig& self) { return seconds_of(self.*Member); },
      [](NodeConfig& self, double seconds) { self.*Member = duration_of(seconds); });
}

template <std::vector<PublicKey> NodeConfig::* Member>
void bind_keys(nb::class_<NodeConfig>& type, const char* name) {
  type.def_prop_rw(
      name,
      [](const NodeConfig& self) {
        Strings out;
        for (const auto& key : self.*Member) out.push_back(key.to_hex());
        return out;
      },
      [](NodeConfig& self, const Strings& keys) { self.*Member = keys_of(keys); });
}

void bind_private_key(nb::module_& module) {
  nb::class_<PrivateKey>(module, "PrivateKey")
      .def_static("generate", &PrivateKey::generate)
      .def_static("from_seed",
                  [](const nb::bytes& seed) {
                    if (seed.size() != PrivateKey::kSeedSize) raise(Error{Errc::invalid_argument, "a seed is 32 bytes"});
                    return PrivateKey::from_seed(std::span<const std::byte, PrivateKey::kSeedSize>{
                        reinterpret_cast<const std::byte*>(seed.c_str()), PrivateKey::kSeedSize});
                  })
      .def_static("from_pem", [](std::string_view pem) { return checked(PrivateKey::from_pem(pem)); })
      .def_static("from_hex", [](std::string_view digits) { return checked(PrivateKey::from_hex(digits)); })
      .def_static("load", [](const std::string& path) { return checked(read_key_file(path)); })
      .def_static("load_or_make", [](const std::string& path) { return checked(read_or_make_key_file(path)); })
      .def("to_pem", &PrivateKey::to_pem)
      .def_prop_ro("public_key", [](const PrivateKey& self) { return self.public_key().to_hex(); });
}

}  // namespace

void bind_config(nb::module_& module) {
  bind_private_key(module);
  nb::class_<NodeConfig> type{module, "NodeConfig"};
  type.def(nb::init<>())
      .def_rw("identity", &NodeConfig::identity)
      .def_rw("listen", &NodeConfig::listen)
      .def_rw("node_info", &NodeConfig::node_info)
      .def_rw("node_info_privacy", &NodeConfig::node_info_privacy)
      .def_rw("tcp_port", &NodeConfig::tcp_port)
      .def_rw("http_port", &NodeConfig::http_port)
      .def_rw("accept_messages", &NodeConfig::accept_messages)
      .def_rw("mtu", &NodeConfig::mtu)
      .def_rw("max_links", &NodeConfig::max_links)
      .def_rw("max_handshakes", &NodeConfig::max_handshakes)
      .def_rw("max_handshakes_per_address", &NodeConfig::max_handshakes_per_address)
      .def_rw("max_message_size", &NodeConfig::max_message_size)
      .def_rw("max_concurrent_conns", &NodeConfig::max_concurrent_conns)
      .def_rw("recv_queue_messages", &NodeConfig::recv_queue_messages)
      .def_rw("recv_queue_bytes", &NodeConfig::recv_queue_bytes)
      .def_rw("outbox_messages", &NodeConfig::outbox_messages)
      .def_rw("outbox_bytes", &NodeConfig::outbox_bytes)
      .def_rw("api_allowed_hosts", &NodeConfig::api_allowed_hosts)
      .def_rw("api_allowed_origins", &NodeConfig::api_allowed_origins)
      .def_rw("api_token", &NodeConfig::api_token)
      .def_rw("legacy_peer_id", &NodeConfig::legacy_peer_id)
      .def_rw("deny_services", &NodeConfig::deny_services)
      .def_rw("allow_remote_endpoints", &NodeConfig::allow_remote_endpoints)
      .def_rw("router_addr", &NodeConfig::router_addr)
      .def_rw("router_port", &NodeConfig::router_port)
      .def_rw("a2a_addr", &NodeConfig::a2a_addr)
      .def_rw("a2a_port", &NodeConfig::a2a_port)
      .def_rw("a2a_skills", &NodeConfig::a2a_skills)
      .def_rw("a2a_stream_downgrade", &NodeConfig::a2a_stream_downgrade)
      .def_prop_rw(
          "log_level", [](const NodeConfig& self) { return static_cast<int>(self.log_level); },
          [](NodeConfig& self, int level) { self.log_level = static_cast<LogLevel>(level); })
      .def_prop_rw(
          "bulk_thread", [](const NodeConfig& self) { return static_cast<int>(self.bulk_thread); },
          [](NodeConfig& self, int where) { self.bulk_thread = static_cast<BulkThread>(where); })
      .def_prop_rw(
          "peers",
          [](const NodeConfig& self) {
            Strings out;
            for (const auto& peer : self.peers) out.push_back(peer.uri);
            return out;
          },
          [](NodeConfig& self, const Strings& uris) {
            self.peers.clear();
            for (const auto& uri : uris) self.peers.push_back({.uri = uri});
          })
      .def_prop_rw(
          "a2a_allow",
          [](const NodeConfig& self) -> std::optional<Strings> {
            if (!self.a2a_access || self.a2a_access->everyone) return {};
            Strings out;
            for (const auto& key : self.a2a_access->allow) out.push_back(key.to_hex());
            return out;
          },
          [](NodeConfig& self, const std::optional<Strings>& keys) {
            self.a2a_access.reset();
            if (keys) self.a2a_access = ServiceAccess{.everyone = false, .allow = keys_of(*keys)};
          },
          nb::arg().none());
  bind_keys<&NodeConfig::allowed_public_keys>(type, "allowed_public_keys");
  bind_keys<&NodeConfig::allow_peers>(type, "allow_peers");
  bind_keys<&NodeConfig::deny>(type, "deny");
  bind_time<&NodeConfig::conn_read_timeout>(type, "conn_read_timeout");
  bind_time<&NodeConfig::conn_idle_timeout>(type, "conn_idle_timeout");
  bind_time<&NodeConfig::dial_timeout>(type, "dial_timeout");
  bind_time<&NodeConfig::send_timeout>(type, "send_timeout");
  bind_time<&NodeConfig::service_timeout>(type, "service_timeout");
}

}  // namespace axl::python
