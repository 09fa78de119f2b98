// The command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gossip {

struct Options {
  std::string name = "somebody";
  std::string topic = "room";
  std::string key_file;  ///< empty: a fresh key at each start
  std::vector<std::string> listen;
  std::vector<std::string> peers;
  bool live = false;   ///< draw, whatever stdout is
  bool plain = false;  ///< do not draw, even on a terminal
  double rate = 0;     ///< messages a second; 0: chat
  double seconds = 0;
};

/// Empty: it makes no sense.
std::optional<Options> parse_options(int count, const char* const* arguments);

extern const char* const kUsage;

}  // namespace gossip
