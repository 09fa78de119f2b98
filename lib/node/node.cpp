#include <axl/node.hpp>
#include <utility>

#include "node/node_state.hpp"

namespace axl {

Result<std::unique_ptr<Node>> Node::create(NodeConfig config) { return node::create_node(std::move(config), nullptr); }

Node::Node(std::unique_ptr<node::NodeState> state) noexcept : state_{std::move(state)} {}
Node::~Node() { stop(); }

Result<void> Node::start() { return state_->start(); }
void Node::stop() { state_->stop(); }
std::size_t Node::poll(Duration budget, Duration wait) { return state_->loop().poll(budget, wait); }

const PublicKey& Node::key() const { return state_->key(); }
const Address& Node::address() const { return state_->address(); }

Result<void> Node::add_peer(const std::string& uri, const std::string& source_interface) {
  return state_->add_peer(uri, source_interface);
}
Result<void> Node::remove_peer(const std::string& uri, const std::string& source_interface) {
  return state_->remove_peer(uri, source_interface);
}
Result<std::string> Node::add_listener(const std::string& uri) { return state_->add_listener(uri); }
std::vector<std::string> Node::listeners() const { return state_->listeners(); }

Result<void> Node::listen(std::uint16_t port, SessionHandler handler) {
  return state_->listen(port, std::move(handler));
}
void Node::stop_listening(std::uint16_t port) { state_->stop_listening(port); }
void Node::connect(const PublicKey& peer, std::uint16_t port, ConnectHandler handler) {
  state_->connect_session(peer, port, std::move(handler));
}

void Node::send(const PublicKey& peer, MessageBody body, SendOptions options, SendHandler handler) {
  state_->send(peer, std::move(body), std::move(options), std::move(handler));
}

Router Node::router() { return Router{state_->bridge().dispatcher(), state_->bridge().leases(), state_->bridge().services()}; }
void Node::post(std::function<void()> task) { state_->executor().post(std::move(task)); }

Result<std::uint16_t> Node::serve_api(const std::string& host, std::uint16_t port) {
  return state_->serve_api(host, port);
}
Result<std::uint16_t> Node::serve_router(const std::string& host, std::uint16_t port) {
  return state_->serve_router(host, port);
}
void Node::drain(Duration grace) { state_->drain(grace); }
void Node::begin_drain(std::function<void()> done) { state_->begin_drain(std::move(done)); }

void Node::ping(const PublicKey& peer, Duration timeout, PingHandler handler) {
  state_->ping_from_anywhere(peer, timeout, std::move(handler));
}

Topology Node::topology() const { return state_->whole_topology(); }
std::vector<KnownNode> Node::known_nodes(std::size_t limit, const PublicKey* after) const {
  return state_->all_known_nodes(limit, after);
}
Result<KnownNode> Node::known_node(const PublicKey& key) const { return state_->find_known_node(key); }
Statistics Node::statistics() const { return state_->statistics(); }
void Node::on_event(EventHandler handler) { state_->set_event_handler(std::move(handler)); }

}  // namespace axl
