#include "net_support.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/hash.hpp"
#include "net/tcp_stream.hpp"

namespace axl::test {

using namespace std::chrono_literals;

bool run_until(asio::io_context& loop, const std::function<bool()>& done, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    loop.restart();
    loop.run_one_for(100ms);
  }
  return true;
}

void run_for(asio::io_context& loop, std::chrono::milliseconds time) {
  loop.restart();
  loop.run_for(time);
}

bool allow_descriptors(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= count) return true;
  limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= count;
}

std::pair<net::Socket, net::Socket> connected_sockets(asio::io_context& first, asio::io_context& second) {
  net::Acceptor acceptor{first.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  net::Socket dialled{first.get_executor()};
  net::Socket accepted{second.get_executor()};
  dialled.connect(acceptor.local_endpoint());
  acceptor.accept(accepted);
  return {std::move(dialled), std::move(accepted)};
}

PrivateKey test_key(unsigned number) {
  std::array<std::byte, PrivateKey::kSeedSize> seed{};
  seed[0] = static_cast<std::byte>(number);
  return PrivateKey::from_seed(seed);
}

net::TlsContext test_listener_context() {
  static const auto context =
      net::TlsContext::listener(test_key(1), std::chrono::system_clock::time_point{std::chrono::hours{24 * 365 * 54}});
  return context.value();
}

net::TlsContext test_dialler_context() {
  static const auto context = net::TlsContext::dialler();
  return context.value();
}

StreamPair make_pair(Kind kind, asio::io_context& dialling, asio::io_context& accepting,
                     const net::StreamOptions& options) {
  auto [dialled, accepted] = connected_sockets(dialling, accepting);
  if (kind == Kind::tcp) {
    return {std::make_unique<net::TcpStream>(std::move(dialled), options),
            std::make_unique<net::TcpStream>(std::move(accepted), options)};
  }
  net::TlsStream::Setup setup;
  setup.stream = options;
  return {std::make_unique<net::TlsStream>(std::move(dialled), test_dialler_context(), setup),
          std::make_unique<net::TlsStream>(std::move(accepted), test_listener_context(), setup)};
}

Bytes pattern(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  crypto::SeededRng rng{seed};
  rng.fill(bytes);
  return bytes;
}

void Recorder::on_data(Buffer data) {
  largest_piece = std::max(largest_piece, data.size());
  if (!expected.empty()) {
    const auto left = expected.subspan(std::min(received, expected.size()));
    if (left.size() < data.size() || !std::equal(data.data(), data.data() + data.size(), left.begin())) differs = true;
  }
  received += data.size();
  if (hook) hook(data.span());
}

void Recorder::on_closed(const Error* error) {
  ++closed;
  if (error != nullptr) failure = *error;
}

}  // namespace axl::test
