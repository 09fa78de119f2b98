// What a node uses of its machine besides links: connections to local servers, and processes of its own.
//
// All on the loop. Handlers are called once, never inside the call that took them.
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/stream.hpp"

namespace axl {

/// Where a stream to a server of this machine, or of another one, goes.
struct Place {
  std::string host;        ///< name or address, without brackets; or the path of a Unix socket
  std::uint16_t port = 0;  ///< 0: `host` is the path of a Unix socket
  bool tls = false;        ///< TLS by the system's certificates, the name verified
  friend bool operator==(const Place&, const Place&) = default;
};

struct ProcessOptions {
  std::vector<std::string> command;                              ///< program (looked up in PATH) and arguments
  std::vector<std::pair<std::string, std::string>> environment;  ///< besides PATH, HOME and LANG of this process
  std::string directory;                                         ///< empty: this process's
};

/// How a process ended.
struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;  ///< not 0: killed by it
};

/// A process in a group of its own, without any descriptor of ours but the three standard ones.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  virtual ~Process() = default;  ///< kills the whole group; calls no handler

  /// Its standard input (written) and output (read) as one stream.
  [[nodiscard]] virtual Stream& stdio() = 0;
  /// Lines of standard error, without their end, at most 8 KiB each (longer ones come in pieces).
  virtual void on_error_line(std::function<void(std::string_view line)> handler) = 0;
  /// Called once, when it has ended.
  virtual void on_end(std::function<void(ProcessEnd end)> handler) = 0;
  /// Closes its standard input, then SIGTERM, then SIGKILL to the group, `grace` between each.
  virtual void terminate(Duration grace) = 0;
  [[nodiscard]] virtual int pid() const = 0;
};

/// What this process uses, as far as the machine tells.
struct ProcessUsage {
  double cpu_seconds = 0;
  std::size_t resident_bytes = 0;
  std::size_t open_files = 0;
  std::size_t max_files = 0;
};

class System {
 public:
  using DialHandler = std::function<void(Result<std::unique_ptr<Stream>> stream)>;

  /// Errors: refused, timed_out, unreachable, not_found (name or path), crypto (certificate).
  virtual void dial(const Place& place, Duration timeout, DialHandler handler) = 0;
  /// Errors: not_found (no such program), permission_denied, io.
  [[nodiscard]] virtual Result<std::unique_ptr<Process>> start(const ProcessOptions& options) = 0;
  [[nodiscard]] virtual std::optional<ProcessUsage> usage() const { return std::nullopt; }

 protected:
  ~System() = default;
};

}  // namespace axl
