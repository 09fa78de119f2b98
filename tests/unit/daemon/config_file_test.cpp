#include "config_file.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

#include "config_keys.hpp"

using namespace std::chrono_literals;
using axl::as_bytes;
using axl::daemon::config_keys;
using axl::daemon::config_table;
using axl::daemon::FileConfig;
using axl::daemon::parse_config;

namespace {

std::string error_of(std::string_view text) {
  const auto config = parse_config(as_bytes(text));
  return config ? "(no error)" : config.error().text();
}

FileConfig must_parse(std::string_view text) {
  auto config = parse_config(as_bytes(text));
  if (!config) FAIL(config.error().text());
  return *config;
}

constexpr std::string_view kKey = "414f0a8e7b64e14deb8d8498d1a83b3f6cd04794c7c20c8c4d9b39ad4ff75c33";

}  // namespace

TEST_CASE("config: the defaults are the documented ones", "[daemon]") {
  const auto config = must_parse("{}");
  CHECK(config.api_port == 9002);
  CHECK(config.bridge_addr == "127.0.0.1");
  CHECK(config.node.tcp_port == 7000);
  CHECK(config.node.http_port == 7001);
  CHECK(config.node.max_message_size == 16'777'216);
  CHECK(config.node.max_concurrent_conns == 128);
  CHECK(config.node.conn_read_timeout == 60s);
  CHECK(config.node.conn_idle_timeout == 300s);
  CHECK(config.node.dial_timeout == 30s);
  CHECK(config.node.send_timeout == 30s);
  CHECK(config.node.recv_queue_messages == 10'000);
  CHECK(config.node.recv_queue_bytes == 268'435'456);
  CHECK(config.node.mtu == 16'200);
  CHECK_FALSE(config.node.identity);
  CHECK(config.warnings.empty());
  // The table says the same as the code.
  for (const auto& key : config_keys()) {
    if (key.type != "int" || key.limits.empty()) continue;
    INFO(key.name);
    CHECK(error_of("{\"" + std::string{key.name} + "\": " + std::string{key.default_text} + "}") == "(no error)");
  }
}

TEST_CASE("config: every key reaches its place", "[daemon]") {
  const auto config = must_parse(R"({
    PrivateKeyPath: k.pem
    "Peers": ["tls://a:1", "tcp://b:2?priority=1"],
    "InterfacePeers": {"eth0": ["tls://c:3"]},
    "Listen": ["tls://[::]:4"],
    "AllowedPublicKeys": ["414f0a8e7b64e14deb8d8498d1a83b3f6cd04794c7c20c8c4d9b39ad4ff75c33"],
    "allow_peers": ["414F0A8E7B64E14DEB8D8498D1A83B3F6CD04794C7C20C8C4D9B39AD4FF75C33"],
    "deny": ["414F0A8E7B64E14DEB8D8498D1A83B3F6CD04794C7C20C8C4D9B39AD4FF75C33"],
    "NodeInfo": {"name": "n", "list": [1]}, "NodeInfoPrivacy": true,
    "api_port": 1, "bridge_addr": "[::1]", "tcp_port": 2, "http_port": 3, "legacy_peer_id": true,
    "allowed_hosts": ["h"], "allowed_origins": ["http://o"],
    "max_message_size": 5, "max_concurrent_conns": 6, "conn_read_timeout_secs": 7, "conn_idle_timeout_secs": 8,
    "dial_timeout_secs": 9, "send_timeout_secs": 10, "recv_queue_messages": 11, "recv_queue_bytes": 12000,
    "mtu": 1300, "max_links": 14, "max_handshakes": 15, "max_handshakes_per_address": 16
  })");
  const auto key = axl::PublicKey::from_hex(kKey).value();
  CHECK(config.warnings.empty());
  CHECK(config.private_key_path == "k.pem");
  REQUIRE(config.node.peers.size() == 3);
  CHECK(config.node.peers[1].uri == "tcp://b:2?priority=1");
  CHECK(config.node.peers[2].uri == "tls://c:3");
  CHECK(config.node.peers[2].source_interface == "eth0");
  CHECK(config.node.listen == std::vector<std::string>{"tls://[::]:4"});
  CHECK(config.node.allowed_public_keys == std::vector{key});
  CHECK(config.node.allow_peers == std::vector{key});
  CHECK(config.node.deny == std::vector{key});
  CHECK(config.node.node_info == R"({"name":"n","list":[1]})");
  CHECK(config.node.node_info_privacy);
  CHECK(config.api_port == 1);
  CHECK(config.bridge_addr == "[::1]");
  CHECK(config.node.tcp_port == 2);
  CHECK(config.node.http_port == 3);
  CHECK(config.node.legacy_peer_id);
  CHECK(config.node.api_allowed_hosts == std::vector<std::string>{"h"});
  CHECK(config.node.api_allowed_origins == std::vector<std::string>{"http://o"});
  CHECK(config.node.max_message_size == 5);
  CHECK(config.node.max_concurrent_conns == 6);
  CHECK(config.node.conn_read_timeout == 7s);
  CHECK(config.node.conn_idle_timeout == 8s);
  CHECK(config.node.dial_timeout == 9s);
  CHECK(config.node.send_timeout == 10s);
  CHECK(config.node.recv_queue_messages == 11);
  CHECK(config.node.recv_queue_bytes == 12'000);
  CHECK(config.node.mtu == 1'300);
  CHECK(config.node.max_links == 14);
  CHECK(config.node.max_handshakes == 15);
  CHECK(config.node.max_handshakes_per_address == 16);
}

TEST_CASE("config: where TLS of bulk runs", "[daemon]") {
  CHECK(must_parse("{}").node.bulk_thread == axl::BulkThread::automatic);
  CHECK(must_parse(R"({"bulk_thread": "auto"})").node.bulk_thread == axl::BulkThread::automatic);
  CHECK(must_parse(R"({"bulk_thread": "never"})").node.bulk_thread == axl::BulkThread::never);
  CHECK(must_parse(R"({"bulk_thread": "always"})").node.bulk_thread == axl::BulkThread::always);
  CHECK(error_of(R"({"bulk_thread": "maybe"})") ==
        "bulk_thread must be \"auto\", \"never\" or \"always\", not \"maybe\" (line 1)");
}

TEST_CASE("config: an inline key", "[daemon]") {
  const auto config = must_parse(
      R"({"PrivateKey":"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"})");
  REQUIRE(config.node.identity);
  CHECK(config.node.identity->public_key().to_hex() ==
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(error_of(R"({"PrivateKey":"00"})").starts_with("PrivateKey must be a private key of 64 bytes"));
}

TEST_CASE("config: keys match in any case and the last one wins", "[daemon]") {
  CHECK(must_parse(R"({"API_PORT":19334,"Api_Port":19333})").api_port == 19'333);
  CHECK(must_parse(R"({"peers":["tls://a:1"],"PEERS":["tls://b:2"]})").node.peers.size() == 1);
}

TEST_CASE("config: 0 and the empty string mean the default", "[daemon]") {
  const auto config = must_parse(R"({"api_port":0,"bridge_addr":"","max_message_size":0,"conn_idle_timeout_secs":0,
                                     "PrivateKeyPath":"","PrivateKey":"","Peers":null,"NodeInfo":null})");
  CHECK(config.api_port == 9002);
  CHECK(config.bridge_addr == "127.0.0.1");
  CHECK(config.node.max_message_size == 16'777'216);
  CHECK(config.node.conn_idle_timeout == 300s);
}

TEST_CASE("config: a wrong type is refused by the key's name", "[daemon]") {
  CHECK(error_of(R"({"api_port":"19333"})") == "api_port must be an integer, not a string (line 1)");
  CHECK(error_of("{\n\"API_PORT\": 1.5}") == "api_port must be an integer, not a number (line 2)");
  CHECK(error_of(R"({"Peers":"tls://a:1"})") == "Peers must be a list of strings, not a string (line 1)");
  CHECK(error_of(R"({"Listen":[1]})") == "Listen must be a list of strings, and holds an integer (line 1)");
  CHECK(error_of(R"({"legacy_peer_id":1})") == "legacy_peer_id must be true or false, not an integer (line 1)");
  CHECK(error_of(R"({"NodeInfo":[]})") == "NodeInfo must be an object, not a list (line 1)");
  CHECK(error_of(R"({"InterfacePeers":[]})") == "InterfacePeers must be an object of lists, not a list (line 1)");
  CHECK(error_of(R"({"AllowedPublicKeys":["ab"]})") ==
        "AllowedPublicKeys must hold keys of 64 hexadecimal digits, not \"ab\" (line 1)");
}

TEST_CASE("config: values outside their limits are refused by the key's name", "[daemon]") {
  CHECK(error_of(R"({"max_message_size":-1})") == "max_message_size must be from 1 to 1073741824, not -1 (line 1)");
  CHECK(error_of(R"({"max_concurrent_conns":-5})") == "max_concurrent_conns must be from 1 to 65536, not -5 (line 1)");
  CHECK(error_of(R"({"conn_read_timeout_secs":-1})").starts_with("conn_read_timeout_secs must be"));
  CHECK(error_of(R"({"api_port":70000})") == "api_port must be from 1 to 65535, not 70000 (line 1)");
  CHECK(error_of(R"({"tcp_port":70000})") == "tcp_port must be from 1 to 65535, not 70000 (line 1)");
  CHECK(error_of(R"({"mtu":1279})") == "mtu must be from 1280 to 65535, not 1279 (line 1)");
  CHECK(error_of(R"({"tcp_port":7001})") == "tcp_port and http_port must differ");
  CHECK(error_of(R"({"bridge_addr":"0.0.0.0"})").starts_with("bridge_addr must be a loopback address"));
  CHECK(error_of(R"({"NodeInfo":{"x":")" + std::string(16'400, 'x') + "\"}}").starts_with("NodeInfo must be at most"));
}

TEST_CASE("config: a message must fit in one peer's quarter of the queue", "[daemon]") {
  CHECK(error_of(R"({"max_message_size":1000,"recv_queue_bytes":4096})") == "(no error)");
  CHECK(error_of(R"({"max_message_size":1024,"recv_queue_bytes":4096})") == "(no error)");
  CHECK(error_of(R"({"max_message_size":1025,"recv_queue_bytes":4096})")
            .starts_with("max_message_size (1025) exceeds a quarter of recv_queue_bytes (4096)"));
}

TEST_CASE("config: allow_peers takes full keys only", "[daemon]") {
  CHECK(error_of(R"({"allow_peers":["414f0a8e7b64e14deb8d8498d1a83fffffffffffffffffffffffffffffffffff"]})")
            .starts_with("allow_peers must hold full keys"));
  CHECK(error_of(R"({"deny":["414f0a8e7b64e14deb8d8498d1a83fffffffffffffffffffffffffffffffffff"]})")
            .starts_with("deny must hold full keys"));
}

TEST_CASE("config: services have a url or a command, and say who may use them", "[daemon]") {
  const std::string key = "414f0a8e7b64e14deb8d8498d1a83b3f6cd04794c7c20c8c4d9b39ad4ff75c33";
  const auto node = must_parse(R"({"default_policy": "deny", "services": {
    "weather": {"url": "http://127.0.0.1:8000/mcp", "allow": [")" +
                               key + R"("], "health": {"path": "/up", "interval_secs": 5}},
    "files": {"command": ["uvx", "x"], "allow": ["*"], "env": {"A": ""}, "directory": "/tmp", "max_processes": 2,
     "max_processes_per_caller": 1, "idle_secs": 60}},
    "a2a_addr": "http://127.0.0.1/", "a2a_port": 9104, "a2a_allow": ["*"], "a2a_stream_downgrade": true})")
                        .node;
  REQUIRE(node.services.size() == 2);
  CHECK(node.deny_services);
  CHECK(node.services[0].access->allow.front().to_hex() == key);
  CHECK_FALSE(node.services[0].access->everyone);
  CHECK(node.services[0].probe->path == "/up");
  CHECK(node.services[1].access->everyone);
  CHECK(node.services[1].command.command == std::vector<std::string>{"uvx", "x"});
  CHECK(node.services[1].command.max_processes == 2);
  CHECK(node.services[1].command.max_processes_per_caller == 1);
  CHECK(node.services[1].command.idle == std::chrono::seconds{60});
  CHECK(node.a2a_access->everyone);
  CHECK(node.a2a_port == 9104);
  CHECK(node.a2a_stream_downgrade);
}

TEST_CASE("config: what makes no sense of a service is an error that names it", "[daemon]") {
  const auto of_service = [](const std::string& members) {
    return error_of(R"({"services":{"w":{)" + members + "}}}");
  };
  const auto names = [](const std::string& error, std::string_view part) {
    return error.starts_with("services") && error.find("\"w\"") != std::string::npos &&
           error.find(part) != std::string::npos;
  };
  CHECK(names(of_service(R"("alow": [])"), "unknown member \"alow\""));
  CHECK(names(of_service(""), "needs either a url or a command"));
  CHECK(names(of_service(R"("url":"http://127.0.0.1/","command":["x"])"), "needs either a url or a command"));
  CHECK(names(of_service(R"("url":"ftp://x/")"), "url"));
  CHECK(names(of_service(R"("url":5)"), "url must be a string"));
  CHECK(names(of_service(R"("command":["x"])"), "must name who may use it"));
  CHECK(names(of_service(R"("command":["x"],"allow":["me"])"), "allow must hold keys"));
  CHECK(names(
      of_service(
          R"("url":"http://127.0.0.1/","allow":["414f0a8e7b64e14deb8d8498d1a83fffffffffffffffffffffffffffffffffff"])"),
      "full keys"));
  CHECK(error_of(R"({"services":{"a/../b":{"url":"http://127.0.0.1/"}}})").starts_with("services"));
  CHECK(error_of(R"({"default_policy":"maybe"})").starts_with("default_policy must be"));
  CHECK(error_of(R"({"router_addr":"http://127.0.0.1:9003"})").starts_with("router_addr must be"));
  CHECK(error_of(R"({"a2a_addr":"127.0.0.1"})").starts_with("a2a_addr must be"));
}

TEST_CASE("config: an unknown key is a warning that names the nearest known one", "[daemon]") {
  const auto config =
      must_parse("{\n\"api_prot\": 1,\n\"max_mesage_size\": 1, \"MulticastInterfaces\": [], \"IfMTU\": 1}");
  REQUIRE(config.warnings.size() == 4);
  CHECK(config.warnings[0] == "unknown key \"api_prot\" (line 2); did you mean \"api_port\"?");
  CHECK(config.warnings[1] == "unknown key \"max_mesage_size\" (line 3); did you mean \"max_message_size\"?");
  CHECK(config.warnings[2] == "MulticastInterfaces is not supported yet and has no effect (line 3)");
  CHECK(config.warnings[3] == "IfMTU has no effect (line 3)");
  CHECK(must_parse("{\"" + std::string(100'000, 'k') + "\": 1}").warnings.size() == 1);
}

TEST_CASE("config: UTF-16 files are read too", "[daemon]") {
  std::string text{"\xFF\xFE", 2};
  for (const char c : std::string_view{R"({"api_port":19333})"}) text += {c, '\0'};
  CHECK(must_parse(text).api_port == 19'333);
}

TEST_CASE("config: the README shows the table that the program prints", "[daemon]") {
  std::ifstream file{AXL_README};
  std::stringstream readme;
  readme << file.rdbuf();
  const auto text = readme.str();
  constexpr std::string_view kBegin = "<!-- config-table-begin -->\n";
  const auto begin = text.find(kBegin);
  const auto end = text.find("<!-- config-table-end -->");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  CHECK(text.substr(begin + kBegin.size(), end - begin - kBegin.size()) == config_table());
}
