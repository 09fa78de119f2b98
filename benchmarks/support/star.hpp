// One routing engine in the middle of neighbours that are its children, with paths learnt to nodes behind them.
//
// The neighbours are played: their messages are well-formed and signed by nobody, and the engine takes every signature
// for good. Everything else is as in a node. Time stands still.
#pragma once

#include <axl/key.hpp>
#include <cstdint>
#include <vector>

#include "crypto/hash.hpp"
#include "overlay/engine.hpp"

namespace axl::bench {

class Star {
 public:
  Star(std::size_t neighbours, std::size_t paths);

  [[nodiscard]] overlay::Engine& engine() noexcept { return engine_; }
  [[nodiscard]] std::size_t paths() const noexcept { return paths_.size(); }
  [[nodiscard]] const PublicKey& destination(std::size_t path) const { return paths_[path].key; }
  /// A Traffic message on its way to that destination, as it comes from another neighbour.
  [[nodiscard]] Bytes traffic(std::size_t path, std::size_t payload) const;
  /// That message comes in and goes out by the link it should.
  void forward(std::size_t path, ByteSpan message);
  /// A datagram of the node's own leaves.
  void send(std::size_t path, Buffer payload);

 private:
  struct Neighbour {
    PublicKey key;
    overlay::LinkId link{};
    std::uint64_t port = 0;
  };
  struct Path {
    PublicKey key;
    std::size_t behind = 0;  // index of a neighbour
    wire::Path coords;
  };
  void add(std::size_t number);
  void learn(std::size_t number);
  void expect_frame(std::size_t path);

  PrivateKey key_;
  crypto::SeededRng rng_{1};
  Time now_{};
  overlay::Engine engine_;
  std::vector<Neighbour> neighbours_;
  std::vector<Path> paths_;
};

}  // namespace axl::bench
