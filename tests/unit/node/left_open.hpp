// What this process has open, as the kernel says: descriptors, sockets that listen, threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace axl::test {

inline std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder}, {}));
}

inline std::size_t open_descriptors() { return entries("/proc/self/fd"); }
inline std::size_t threads() { return entries("/proc/self/task"); }

/// TCP sockets of this process that listen.
inline std::size_t listening_sockets() {
  std::set<std::string> own;  // inodes
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry, gone).string();
    if (target.starts_with("socket:[")) own.insert(target.substr(8, target.size() - 9));
  }
  std::set<std::string> found;  // a table that changes while it is read may have a line twice
  for (const auto* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream file{table};
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream text{line};
      const std::vector<std::string> columns{std::istream_iterator<std::string>{text}, {}};
      constexpr std::size_t kState = 3;
      constexpr std::size_t kInode = 9;
      if (columns.size() > kInode && columns[kState] == "0A" && own.contains(columns[kInode])) {
        found.insert(columns[kInode]);
      }
    }
  }
  return found.size();
}

}  // namespace axl::test
