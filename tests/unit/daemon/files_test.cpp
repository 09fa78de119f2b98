#include "files.hpp"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "scratch_folder.hpp"

using axl::daemon::generate_key;
using axl::daemon::load_key;
using axl::daemon::read_file;

TEST_CASE("key file: generated for its owner only, read back, never overwritten", "[daemon]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.file("key.pem");
  const auto made = generate_key(path);
  REQUIRE(made);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600U);
  const auto read = load_key(path, false);
  REQUIRE(read);
  CHECK(read->public_key() == *made);
  const auto again = generate_key(path);
  REQUIRE_FALSE(again);
  CHECK(again.error().is(axl::Errc::already_exists));
  CHECK(load_key(path, false)->public_key() == *made);
}

TEST_CASE("key file: one that others may read is refused, unless told otherwise", "[daemon]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.file("key.pem");
  const auto made = generate_key(path);
  REQUIRE(made);
  for (const mode_t mode : {0640U, 0604U, 0660U, 0644U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto refused = load_key(path, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(axl::Errc::permission_denied));
    CHECK(load_key(path, true)->public_key() == *made);
  }
}

TEST_CASE("key file: says what is wrong", "[daemon]") {
  const axl::test::ScratchFolder folder;
  const auto error = [](const std::string& path) { return load_key(path, false).error().text(); };
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

TEST_CASE("files: a limit bounds what is read", "[daemon]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.write("f", std::string(100, 'x'));
  CHECK(read_file(path, 100)->size() == 100);
  CHECK_FALSE(read_file(path, 99));
}
