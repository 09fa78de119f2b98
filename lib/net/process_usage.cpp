// What this process uses, from the system's books.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "net/machine_system.hpp"

namespace axl::net {

namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

std::size_t resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen("/proc/self/statm", "re"), &std::fclose};
  unsigned long all = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &all, &resident) != 2) return 0;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t open_files() {
  std::error_code error;
  std::size_t count = 0;
  auto entry = std::filesystem::directory_iterator{"/proc/self/fd", error};
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) ++count;
  return count > 0 ? count - 1 : 0;  // without the one that counts
}

}  // namespace

std::optional<ProcessUsage> MachineSystem::usage() const {
  rusage used{};
  rlimit files{};
  if (::getrusage(RUSAGE_SELF, &used) != 0 || ::getrlimit(RLIMIT_NOFILE, &files) != 0) return std::nullopt;
  return ProcessUsage{.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime),
                      .resident_bytes = resident_bytes(),
                      .open_files = open_files(),
                      .max_files = files.rlim_cur};
}

}  // namespace axl::net
