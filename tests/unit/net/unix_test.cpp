#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "core/expect.hpp"
#include "net/unix_listener.hpp"
#include "net/unix_stream.hpp"
#include "net_support.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

// A folder of its own for each test.
struct Folder {
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "axl-unix-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  [[nodiscard]] std::string file(const char* name) const { return (path / name).string(); }
  std::filesystem::path path;
};

struct Dialled {
  std::optional<Result<std::unique_ptr<Stream>>> result;
  net::UnixDialer::Done taker() {
    return [this](Result<std::unique_ptr<Stream>> given) { result.emplace(std::move(given)); };
  }
};

}  // namespace

TEST_CASE("Unix sockets: bytes go both ways and both ends close in order", "[net]") {
  const Folder folder;
  asio::io_context loop;
  std::unique_ptr<Stream> accepted;
  auto listener = net::UnixListener::open(loop, folder.file("s"), {},
                                          [&](std::unique_ptr<Stream> stream) { accepted = std::move(stream); });
  REQUIRE(listener);
  Dialled dialled;
  const net::UnixDialer dialler{loop, folder.file("s"), 10s, dialled.taker()};
  CHECK_FALSE(dialled.result);
  REQUIRE(run_until(loop, [&] { return dialled.result && accepted; }));
  REQUIRE(*dialled.result);
  auto& near = **dialled.result;

  const auto up = pattern(3'000'000, 1);
  const auto down = pattern(70'000, 2);
  Recorder there{up};
  Recorder here{down};
  near->set_handler(&here);
  accepted->set_handler(&there);
  near->write(Buffer::copy_of(up));
  accepted->write(Buffer::copy_of(down));
  near->close();
  accepted->close();
  CHECK(run_until(loop, [&] { return here.closed != 0 && there.closed != 0; }));
  CHECK_FALSE(here.failure);
}

TEST_CASE("Unix sockets: what one end sends before it closes reaches the other", "[net]") {
  const Folder folder;
  asio::io_context loop;
  std::unique_ptr<Stream> accepted;
  auto listener = net::UnixListener::open(loop, folder.file("s"), {},
                                          [&](std::unique_ptr<Stream> stream) { accepted = std::move(stream); });
  REQUIRE(listener);
  Dialled dialled;
  const net::UnixDialer dialler{loop, folder.file("s"), 10s, dialled.taker()};
  REQUIRE(run_until(loop, [&] { return dialled.result && accepted; }));
  const auto up = pattern(1'000'000, 3);
  Recorder there{up};
  accepted->set_handler(&there);
  auto& near = **dialled.result;
  near->write(Buffer::copy_of(up));
  near->close();
  REQUIRE(run_until(loop, [&] { return there.ended; }));
  CHECK(there.received == up.size());
  CHECK_FALSE(there.differs);
}

TEST_CASE("Unix sockets: only this user may connect, and the file goes with its listener", "[net]") {
  const Folder folder;
  asio::io_context loop;
  const auto path = folder.file("s");
  {
    auto listener = net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {});
    REQUIRE(listener);
    struct stat file {};
    REQUIRE(::lstat(path.c_str(), &file) == 0);
    CHECK(S_ISSOCK(file.st_mode));
    CHECK((file.st_mode & 0777U) == 0600U);
    CHECK((*listener)->path() == path);

    const auto second = net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {});
    REQUIRE_FALSE(second);
    CHECK(second.error().is(Errc::already_exists));
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Unix sockets: a dead server's file is replaced, any other file is not", "[net]") {
  const Folder folder;
  asio::io_context loop;
  SECTION("a socket without a server") {
    const auto path = folder.file("s");
    auto first = net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {});
    REQUIRE(first);
    std::filesystem::rename(path, folder.file("kept"));
    first->reset();  // finds nothing of its own at the path
    std::filesystem::rename(folder.file("kept"), path);
    CHECK(net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {}));
  }
  SECTION("a plain file") {
    const auto path = folder.file("text");
    std::ofstream{path} << "keep";
    const auto refused = net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(Errc::already_exists));
    CHECK(std::filesystem::file_size(path) == 4);
  }
  SECTION("another listener's new file is left to it") {
    const auto path = folder.file("s");
    auto first = net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {});
    REQUIRE(first);
    std::filesystem::remove(path);
    auto second = net::UnixListener::open(loop, path, {}, [](const std::unique_ptr<Stream>&) {});
    REQUIRE(second);
    first->reset();
    CHECK(std::filesystem::exists(path));
  }
  SECTION("a path that is too long") {
    const auto refused =
        net::UnixListener::open(loop, folder.file(std::string(200, 'x').c_str()), {}, [](const auto&) {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(Errc::invalid_argument));
  }
}

TEST_CASE("Unix sockets: dialling where nobody is fails, later and once", "[net]") {
  const Folder folder;
  asio::io_context loop;
  Dialled dialled;
  const net::UnixDialer dialler{loop, folder.file("nothing"), 10s, dialled.taker()};
  CHECK_FALSE(dialled.result);
  REQUIRE(run_until(loop, [&] { return dialled.result.has_value(); }));
  REQUIRE_FALSE(*dialled.result);
  CHECK(dialled.result->error().code() == std::errc::no_such_file_or_directory);
  CHECK(core::broken_invariants() == 0);
}
