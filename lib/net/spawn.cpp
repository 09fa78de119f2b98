#include "net/spawn.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace axl::net {

namespace {

constexpr const char* kUsualPath = "/usr/local/bin:/usr/bin:/bin";
constexpr int kFirstFree = 3;
constexpr int kMostDescriptors = 1 << 20;

struct PipeEnds {
  Descriptor reading;
  Descriptor writing;
};

// Not on a standard number, should this process have closed its own.
bool lift(Descriptor& descriptor) {
  if (descriptor.get() >= kFirstFree) return true;
  descriptor.reset(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kFirstFree));
  return descriptor.open();
}

Result<PipeEnds> make_pipe_ends() {
  std::array<int, 2> numbers{-1, -1};
  if (::pipe2(numbers.data(), O_CLOEXEC) != 0) {
    return Error{Errc::io, std::string{"make pipe: "} + std::strerror(errno)};
  }
  PipeEnds ends{Descriptor{numbers[0]}, Descriptor{numbers[1]}};
  if (!lift(ends.reading) || !lift(ends.writing)) return Error{Errc::io, "make pipe: no descriptor left"};
  return ends;
}

std::string value_in(const std::vector<std::string>& environment, std::string_view name) {
  for (const auto& entry : environment) {
    if (entry.size() > name.size() && entry.compare(0, name.size(), name) == 0 && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

// Where the program may be, in the order of PATH. One with a slash in its name is there and nowhere else.
std::vector<std::string> candidates(const std::string& program, const std::string& path) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> found;
  std::size_t at = 0;
  while (at <= path.size()) {
    const auto end = std::min(path.find(':', at), path.size());
    const auto folder = path.substr(at, end - at);
    found.push_back(folder.empty() ? program : folder + '/' + program);
    at = end + 1;
  }
  return found;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

int highest_descriptor() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > rlim_t{kMostDescriptors}) return kMostDescriptors;
  return static_cast<int>(limit.rlim_cur);
}

// What the child needs, prepared before fork().
struct Plan {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::vector<char*> programs;
  const char* directory = nullptr;  // null: stay
  int input = -1;
  int output = -1;
  int errors = -1;
  int report = -1;  // gets the number of the error when the program cannot be started
  int descriptors = 0;
};

void close_on_exec_from(int first, int end) noexcept {
#ifdef SYS_close_range
  constexpr unsigned kCloseOnExec = 1U << 2U;
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, kCloseOnExec) == 0) return;
#endif
  for (int number = first; number < end; ++number) ::fcntl(number, F_SETFD, FD_CLOEXEC);
}

void default_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child, up to exec. No memory, no locks.
[[noreturn]] void become(const Plan& plan) noexcept {
  ::setsid();  // a group of its own, and no terminal
  default_signals();
  auto failure = 0;
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) failure = errno;
  if (failure == 0 && (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0 ||
                       ::dup2(plan.errors, STDERR_FILENO) < 0)) {
    failure = errno;
  }
  if (failure == 0) {
    close_on_exec_from(kFirstFree, plan.descriptors);
    failure = ENOENT;
    for (auto* const program : plan.programs) {
      if (program == nullptr) break;
      ::execve(program, plan.arguments.data(), plan.environment.data());
      // A folder without the program, or without a way in, does not end the search; a program that may not be run is
      // what is told if no other is found.
      if (errno == EACCES) {
        failure = EACCES;
      } else if (errno != ENOENT && errno != ENOTDIR) {
        failure = errno;
        break;
      }
    }
  }
  ssize_t ignored = 0;
  do {
    ignored = ::write(plan.report, &failure, sizeof(failure));
  } while (ignored < 0 && errno == EINTR);
  ::_exit(127);
}

// Waits until the program runs (the pipe ends) or says that it does not.
int start_failure(int report) noexcept {
  int failure = 0;
  ssize_t size = 0;
  do {
    size = ::read(report, &failure, sizeof(failure));
  } while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(sizeof(failure)) ? failure : 0;
}

Error start_error(const std::string& program, int failure) {
  const auto text = "start " + program + ": " + std::strerror(failure);
  if (failure == ENOENT || failure == ENOTDIR) return {Errc::not_found, text};
  if (failure == EACCES || failure == EPERM) return {Errc::permission_denied, text};
  return {Errc::io, text};
}

bool has_zero(const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(),
                     [](const std::string& text) { return text.find('\0') != std::string::npos; });
}

}  // namespace

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> environment;
  const auto replaced = [&](const char* name) {
    return std::any_of(options.environment.begin(), options.environment.end(),
                       [&](const auto& entry) { return entry.first == name; });
  };
  for (const auto* const name : {"PATH", "HOME", "LANG"}) {
    const auto* const value = std::getenv(name);
    if (value != nullptr && !replaced(name)) environment.push_back(std::string{name} + '=' + value);
  }
  for (const auto& [name, value] : options.environment) environment.push_back(name + '=' + value);
  return environment;
}

Result<Spawned> spawn(const ProcessOptions& options) {
  if (options.command.empty() || options.command.front().empty()) {
    return Error{Errc::invalid_argument, "start process: no program named"};
  }
  const auto environment = environment_of(options);
  if (has_zero(options.command) || has_zero(environment) || options.directory.find('\0') != std::string::npos) {
    return Error{Errc::invalid_argument, "start process: a zero byte in its command, environment or directory"};
  }
  auto path = value_in(environment, "PATH");
  if (path.empty()) path = kUsualPath;
  const auto programs = candidates(options.command.front(), path);

  auto input = make_pipe_ends();
  auto output = make_pipe_ends();
  auto errors = make_pipe_ends();
  auto report = make_pipe_ends();
  for (const auto* const pipe : {&input, &output, &errors, &report}) {
    if (!*pipe) return pipe->error();
  }
  Plan plan;
  plan.arguments = pointers(options.command);
  plan.environment = pointers(environment);
  plan.programs = pointers(programs);
  plan.directory = options.directory.empty() ? nullptr : options.directory.c_str();
  plan.input = input->reading.get();
  plan.output = output->writing.get();
  plan.errors = errors->writing.get();
  plan.report = report->writing.get();
  plan.descriptors = highest_descriptor();

  // No handler of this process may run in the child.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto pid = ::fork();
  if (pid == 0) become(plan);
  const auto code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return Error{Errc::io, "start " + options.command.front() + ": " + std::strerror(code)};

  report->writing.reset();
  if (const auto failure = start_failure(report->reading.get()); failure != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return start_error(options.command.front(), failure);
  }
  return Spawned{pid, std::move(input->writing), std::move(output->reading), std::move(errors->reading)};
}

}  // namespace axl::net
