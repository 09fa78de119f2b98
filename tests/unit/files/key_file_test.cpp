#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <axl/key_file.hpp>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "files/file.hpp"
#include "scratch_folder.hpp"

using axl::make_key_file;
using axl::read_key_file;
using axl::read_or_make_key_file;
using axl::files::read_file;

TEST_CASE("key file: generated for its owner only, read back, never overwritten", "[files]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.file("key.pem");
  const auto made = make_key_file(path);
  REQUIRE(made);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600U);
  const auto read = read_key_file(path);
  REQUIRE(read);
  CHECK(read->public_key() == made->public_key());
  const auto again = make_key_file(path);
  REQUIRE_FALSE(again);
  CHECK(again.error().is(axl::Errc::already_exists));
  CHECK(read_key_file(path)->public_key() == made->public_key());
}

TEST_CASE("key file: one that others may read is refused, unless told otherwise", "[files]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.file("key.pem");
  const auto made = make_key_file(path);
  REQUIRE(made);
  for (const mode_t mode : {0640U, 0604U, 0660U, 0644U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto refused = read_key_file(path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(axl::Errc::permission_denied));
    CHECK(read_key_file(path, true)->public_key() == made->public_key());
  }
}

TEST_CASE("key file: says what is wrong", "[files]") {
  const axl::test::ScratchFolder folder;
  const auto error = [](const std::string& file) { return read_key_file(file).error().text(); };
  const auto missing = folder.file("nokey.pem");
  CHECK(error(missing) == "open " + missing + ": no such file or directory");
  const auto garbage = folder.write("g.pem", "hello");
  CHECK(error(garbage) == "failed to parse PEM file " + garbage);
  const auto rsa = folder.write(
      "rsa.pem", "-----BEGIN PRIVATE KEY-----\nMBQCAQAwDQYJKoZIhvcNAQEBBQAEAA==\n-----END PRIVATE KEY-----\n");
  CHECK(error(rsa) == "private key must be ed25519 key: " + rsa);
  const auto other = folder.write("c.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  CHECK(error(other) == "unexpected PEM type \"CERTIFICATE\" in " + other);
  CHECK(error(folder.write("big.pem", std::string(100'000, 'x'))).find("larger than") != std::string::npos);
}

TEST_CASE("key file: made when there is none, and the same for all who start at once", "[files]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.file("key.pem");
  std::array<axl::PublicKey, 8> keys;
  {
    std::vector<std::jthread> threads;
    for (auto& key : keys)
      threads.emplace_back([&] {
        const auto got = read_or_make_key_file(path);
        if (got) key = got->public_key();
      });
  }
  for (const auto& key : keys) CHECK(key == read_key_file(path)->public_key());
  CHECK(std::distance(std::filesystem::directory_iterator{std::filesystem::path{path}.parent_path()}, {}) == 1);
  CHECK(read_or_make_key_file(folder.file("no/folder.pem")).error().is(axl::Errc::not_found));
  const auto garbage = folder.write("g.pem", "hello");
  CHECK_FALSE(read_or_make_key_file(garbage));
  CHECK(read_file(garbage, 10)->size() == 5);  // and not overwritten
}

TEST_CASE("key file: one that could not be written whole is none", "[files]") {
  const axl::test::ScratchFolder folder;
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto little = before;
  little.rlim_cur = 16;
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
  const auto made = make_key_file(folder.file("key.pem"));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old);
  REQUIRE_FALSE(made);
  CHECK(made.error().is(axl::Errc::io));
  CHECK(std::filesystem::is_empty(std::filesystem::path{folder.file("")}));
}

TEST_CASE("files: a limit bounds what is read", "[files]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.write("f", std::string(100, 'x'));
  CHECK(read_file(path, 100)->size() == 100);
  CHECK_FALSE(read_file(path, 99));
}
