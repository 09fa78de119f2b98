// The mesh of a topic as one node sees it, drawn as text; and the terminal that it is drawn on.
#pragma once

#include <axl/key.hpp>
#include <axl/pubsub.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace gossip {

/// The first eight digits: enough to tell apart those in one room, no proof.
[[nodiscard]] std::string short_key(const axl::PublicKey& key);

struct View {
  struct Who {
    std::string name;  ///< as they say; may be empty
    std::string key;   ///< short
    std::uint64_t messages = 0;
    std::chrono::seconds since_last{};
  };
  struct PerSecond {
    double published = 0;
    double delivered = 0;
    double copies_in = 0;
    double copies_out = 0;
  };
  Who self;
  std::string where;  ///< what it listens on
  std::string topic;
  std::size_t topic_peers = 0;
  std::size_t connected = 0;
  std::vector<Who> mesh;
  std::vector<Who> others;  ///< heard of, not in the mesh
  PerSecond per_second;
  double copies_per_message = 0;
  std::deque<double> history;      ///< delivered in each second, the newest last
  std::deque<std::string> lines;   ///< what was said, the newest last; may be shown as it is
};

struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

/// `size.rows` - 1 lines at most; the last is for what is typed.
[[nodiscard]] std::vector<std::string> draw(const View& view, ScreenSize size);

/// Takes the terminal when it is made, and gives it back as it was.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] static ScreenSize size();
  /// What is being typed stays where it is, unless `prompt_again`.
  void show(const std::vector<std::string>& lines, bool prompt_again);
};

}  // namespace gossip
