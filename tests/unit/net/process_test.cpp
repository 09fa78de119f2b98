// Against real programs: cat, sh, sleep.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cerrno>
#include <filesystem>

#include "net/child_process.hpp"
#include "net/exit_watch.hpp"
#include "net/machine_system.hpp"
#include "net/spawn.hpp"
#include "net_support.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

// A process and what it has said so far.
struct Run {
  explicit Run(asio::io_context& on, ProcessOptions options) : loop{on} {
    auto started = net::start_process(loop, options);
    REQUIRE(started);
    process = *std::move(started);
    out.hook = [this](ByteSpan bytes) { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); };
    process->stdio().set_handler(&out);
    process->on_error_line([this](std::string_view line) { lines.emplace_back(line); });
    process->on_end([this](ProcessEnd how) { end = how; });
  }
  void write(std::string_view what) { process->stdio().write(Buffer::copy_of(std::as_bytes(std::span{what}))); }
  bool finish() {
    return run_until(loop, [this] { return end.has_value() && out.ended; });
  }

  asio::io_context& loop;
  std::unique_ptr<Process> process;
  Recorder out;
  std::string text;
  std::vector<std::string> lines;
  std::optional<ProcessEnd> end;
};

ProcessOptions shell(std::string script) { return {{"sh", "-c", std::move(script)}, {}, {}}; }

// Gone, or a zombie that its new parent has yet to reap.
bool is_gone(int pid) {
  if (::kill(pid, 0) != 0) return errno == ESRCH;
  const auto status = std::filesystem::path{"/proc"} / std::to_string(pid) / "stat";
  auto* const file = std::fopen(status.c_str(), "r");
  if (file == nullptr) return true;
  char state = 0;
  const auto read = std::fscanf(file, "%*d (%*[^)]) %c", &state);
  std::fclose(file);
  return read == 1 && (state == 'Z' || state == 'X');
}

}  // namespace

TEST_CASE("process: what is written comes back through cat, whole, then both ends end", "[net]") {
  asio::io_context loop;
  Run cat{loop, {{"cat"}, {}, {}}};
  const auto bytes = pattern(3'000'000, 1);
  cat.out.expected = bytes;
  cat.process->stdio().write(Buffer::copy_of(bytes));
  CHECK(cat.process->stdio().unsent() == bytes.size());
  cat.process->stdio().shutdown_send();
  REQUIRE(cat.finish());
  CHECK(cat.out.received == bytes.size());
  CHECK_FALSE(cat.out.differs);
  CHECK(cat.out.writable == 1);
  CHECK(cat.out.drained >= 1);
  CHECK(cat.end->exit_code == 0);
  CHECK(cat.end->signal == 0);
  REQUIRE(run_until(loop, [&] { return cat.out.closed == 1; }));
  CHECK_FALSE(cat.out.failure);
}

TEST_CASE("process: a reader that pauses stops the program that writes", "[net]") {
  asio::io_context loop;
  Run run{loop, shell("head -c 4000000 /dev/zero; echo done >&2")};
  run.process->stdio().pause_reading();
  run_for(loop, 100ms);
  CHECK(run.lines.empty());
  CHECK(run.out.received == 0);
  run.process->stdio().resume_reading();
  REQUIRE(run.finish());
  CHECK(run.out.received == 4'000'000);
  REQUIRE(run_until(loop, [&] { return run.lines.size() == 1; }));
  CHECK(run.lines[0] == "done");
}

TEST_CASE("process: how it ended is told", "[net]") {
  asio::io_context loop;
  SECTION("exit code") {
    Run run{loop, shell("exit 7")};
    REQUIRE(run.finish());
    CHECK(run.end->exit_code == 7);
  }
  SECTION("signal") {
    Run run{loop, shell("kill -USR1 $$")};
    REQUIRE(run.finish());
    CHECK(run.end->signal == SIGUSR1);
  }
}

TEST_CASE("process: a handler set after the end hears of it too", "[net]") {
  asio::io_context loop;
  auto process = net::start_process(loop, shell("exit 3"));
  REQUIRE(process);
  const auto pid = (*process)->pid();
  REQUIRE(run_until(loop, [&] { return ::kill(pid, 0) != 0; }));  // reaped
  std::optional<ProcessEnd> end;
  (*process)->on_end([&](ProcessEnd how) { end = how; });
  CHECK_FALSE(end);
  REQUIRE(run_until(loop, [&] { return end.has_value(); }));
  CHECK(end->exit_code == 3);
}

TEST_CASE("process: programs that cannot be started are errors", "[net]") {
  asio::io_context loop;
  net::MachineSystem system{loop};
  const auto error_of = [&](ProcessOptions options) {
    const auto started = system.start(options);
    REQUIRE_FALSE(started);
    return started.error();
  };
  CHECK(error_of({{"no-such-program-anywhere"}, {}, {}}).is(Errc::not_found));
  CHECK(error_of({{"/nonexistent/program"}, {}, {}}).is(Errc::not_found));
  CHECK(error_of({{"/etc/passwd"}, {}, {}}).is(Errc::permission_denied));
  CHECK(error_of({{"cat"}, {}, "/nonexistent"}).is(Errc::not_found));
  CHECK(error_of({{}, {}, {}}).is(Errc::invalid_argument));
  CHECK(error_of({{std::string{"cat\0x", 5}}, {}, {}}).is(Errc::invalid_argument));
}

TEST_CASE("process: its environment is PATH, HOME, LANG and what was given, nothing else", "[net]") {
  ::setenv("AXL_TEST_SECRET", "must not pass", 1);
  asio::io_context loop;
  Run run{loop, {{"env"}, {{"EXTRA", "a=b c"}, {"HOME", "/elsewhere"}}, {}}};
  REQUIRE(run.finish());
  std::vector<std::string> names;
  std::size_t at = 0;
  while (at < run.text.size()) {
    const auto end = run.text.find('\n', at);
    const auto line = run.text.substr(at, end - at);
    names.push_back(line.substr(0, line.find('=')));
    if (names.back() == "EXTRA") CHECK(line == "EXTRA=a=b c");
    if (names.back() == "HOME") CHECK(line == "HOME=/elsewhere");
    at = end + 1;
  }
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK((name == "PATH" || name == "HOME" || name == "LANG" || name == "EXTRA"));
  }
  CHECK(std::count(names.begin(), names.end(), "HOME") == 1);
  CHECK(std::count(names.begin(), names.end(), "PATH") == 1);
}

TEST_CASE("process: it inherits no descriptor, no blocked signal, no ignored one, and has its own group", "[net]") {
  const auto open = ::open("/etc/passwd", O_RDONLY);  // without O_CLOEXEC, on purpose
  REQUIRE(open >= 0);
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);

  asio::io_context loop;
  Run run{loop,
          shell("ls /proc/self/fd | tr '\\n' ' '; echo; grep -E 'Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f5,6 "
                "/proc/$$/stat; echo $$")};
  const auto finished = run.finish();
  ::sigaction(SIGHUP, &before, nullptr);
  ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  ::close(open);
  REQUIRE(finished);
  CAPTURE(run.text);
  CHECK(run.text.rfind("0 1 2 3 \n", 0) == 0);  // 3 is the folder that ls reads
  CHECK(run.text.find("SigBlk:\t0000000000000000") != std::string::npos);
  CHECK(run.text.find("SigIgn:\t0000000000000000") != std::string::npos);
  const auto pid = std::to_string(run.process->pid());
  CHECK(run.text.find(pid + " " + pid + "\n" + pid + "\n") != std::string::npos);
}

TEST_CASE("process: lines of standard error come one by one, long ones in pieces", "[net]") {
  asio::io_context loop;
  Run run{
      loop,
      shell("echo one >&2; printf 'two\\r\\n\\n' >&2; head -c 20000 /dev/zero | tr '\\0' x >&2; printf '\\nlast' >&2")};
  REQUIRE(run.finish());
  REQUIRE(run_until(loop, [&] { return !run.lines.empty() && run.lines.back() == "last"; }));
  REQUIRE(run.lines.size() == 7);
  CHECK(run.lines[0] == "one");
  CHECK(run.lines[1] == "two");
  CHECK(run.lines[2].empty());
  CHECK(run.lines[3].size() == net::LineReader::kLongestLine);
  CHECK(run.lines[4].size() == net::LineReader::kLongestLine);
  CHECK(run.lines[5].size() == 20'000 - 2 * net::LineReader::kLongestLine);
}

TEST_CASE("process: terminate closes its input, then asks, then kills", "[net]") {
  asio::io_context loop;
  SECTION("one that reads its input ends by itself") {
    Run run{loop, {{"cat"}, {}, {}}};
    run.process->terminate(60s);
    REQUIRE(run.finish());
    CHECK(run.end->signal == 0);
  }
  SECTION("one that does not is asked") {
    Run run{loop, {{"sleep", "1000"}, {}, {}}};
    run.process->terminate(10ms);
    REQUIRE(run.finish());
    CHECK(run.end->signal == SIGTERM);
  }
  SECTION("one that does not listen is killed, with its children") {
    Run run{loop, shell("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1000; done")};
    REQUIRE(run_until(loop, [&] { return run.text.find('\n') != std::string::npos; }));
    run.process->terminate(10ms);
    REQUIRE(run.finish());
    CHECK(run.end->signal == SIGKILL);
    const auto child = std::stoi(run.text);
    CHECK(run_until(loop, [&] { return is_gone(child); }));
  }
}

TEST_CASE("process: destroying it kills the whole group and leaves no zombie", "[net]") {
  asio::io_context loop;
  int pid = 0;
  int child = 0;
  {
    Run run{loop, shell("sleep 1000 & echo $!; wait")};
    REQUIRE(run_until(loop, [&] { return run.text.find('\n') != std::string::npos; }));
    pid = run.process->pid();
    child = std::stoi(run.text);
  }
  // ESRCH for the leader: reaped, not only dead.
  CHECK(run_until(loop, [&] { return ::kill(pid, 0) != 0 && is_gone(child); }));
}

TEST_CASE("process: a child of it that lives on does not outlive it", "[net]") {
  asio::io_context loop;
  Run run{loop, shell("sleep 1000 & echo $!; exit 0")};
  REQUIRE(run.finish());  // the end of its output too, although the child holds it
  CHECK(run.end->exit_code == 0);
  CHECK(run_until(loop, [&] { return is_gone(std::stoi(run.text)); }));
}

TEST_CASE("process: with the loop gone first, it is still reaped", "[net]") {
  int pid = 0;
  std::unique_ptr<Process> process;
  {
    asio::io_context loop;
    auto started = net::start_process(loop, {{"sleep", "1000"}, {}, {}});
    REQUIRE(started);
    pid = (*started)->pid();
    started->reset();
  }
  CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("process: writing to one that reads no more is an error of the stream, not a signal", "[net]") {
  asio::io_context loop;
  Run run{loop, shell("exec 0<&-; echo closed; sleep 0.05; exit 0")};
  REQUIRE(run_until(loop, [&] { return !run.text.empty(); }));
  run.write("into the void");
  REQUIRE(run.finish());
  REQUIRE(run_until(loop, [&] { return run.out.closed == 1; }));
  REQUIRE(run.out.failure);
  CHECK(run.out.failure->code() == std::errc::broken_pipe);
}

TEST_CASE("process: abort and close end its streams with one last call", "[net]") {
  asio::io_context loop;
  Run run{loop, {{"cat"}, {}, {}}};
  SECTION("abort") {
    run.process->stdio().abort();
    REQUIRE(run_until(loop, [&] { return run.out.closed == 1; }));
    CHECK(run.out.failure->is(Errc::closed));
  }
  SECTION("close") {
    run.write("text");
    run.process->stdio().close();
    REQUIRE(run_until(loop, [&] { return run.out.closed == 1; }));
    CHECK_FALSE(run.out.failure);
  }
  CHECK(run_until(loop, [&] { return run.end.has_value(); }));
}

TEST_CASE("process: its end is noticed without process descriptors too", "[net]") {
  asio::io_context loop;
  auto spawned = net::spawn(shell("exit 5"));
  REQUIRE(spawned);
  auto watch = std::make_shared<net::ExitWatch>(loop, spawned->pid, true);
  watch->start();
  std::optional<ProcessEnd> end;
  watch->on_end([&](ProcessEnd how) { end = how; });
  REQUIRE(run_until(loop, [&] { return end.has_value(); }));
  CHECK(end->exit_code == 5);
  CHECK(watch->ended());
}
