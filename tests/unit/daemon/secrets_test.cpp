#include "secrets.hpp"

#include <sys/stat.h>

#include <axl/key_file.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "scratch_folder.hpp"

using axl::daemon::load_key;
using axl::daemon::load_token;

TEST_CASE("secrets: a file that others may read is refused with the way out, unless told otherwise", "[daemon]") {
  const axl::test::ScratchFolder folder;
  const auto key = folder.file("key.pem");
  REQUIRE(axl::make_key_file(key));
  const auto token = folder.write("token", " secret\n");
  CHECK(load_key(key, false));
  CHECK(*load_token(token, false) == "secret");
  for (const auto& path : {key, token}) REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(load_key(key, false).error().text() == "key file " + key + " may be read by others (mode 0640): run chmod 600 " + key +
                                                   ", or start with --insecure-key-file");
  CHECK(load_token(token, false).error().text().starts_with("token file " + token + " may be read by others"));
  CHECK(load_key(key, true));
  CHECK(load_token(token, true));
  CHECK_FALSE(load_token(folder.write("empty", " \n"), false));
}

TEST_CASE("secrets: one that the service manager hands over may look as if its group could read it", "[daemon]") {
  const axl::test::ScratchFolder folder;
  const auto path = folder.file("key.pem");
  REQUIRE(axl::make_key_file(path));
  const auto credentials = path.substr(0, path.find_last_of('/'));
  const auto name = credentials.substr(credentials.find_last_of('/') + 1);
  const auto set_modes = [&](mode_t of_folder, mode_t of_file) {
    return ::chmod(credentials.c_str(), of_folder) == 0 && ::chmod(path.c_str(), of_file) == 0;
  };
  REQUIRE(set_modes(0750, 0440));
  CHECK_FALSE(load_key(path, false));
  REQUIRE(::setenv("CREDENTIALS_DIRECTORY", credentials.c_str(), 1) == 0);
  CHECK(load_key(path, false));
  CHECK_FALSE(load_key(credentials + "/../" + name + "/key.pem", false));  // not by way of a name that may lead elsewhere
  REQUIRE(set_modes(0750, 0444));
  CHECK_FALSE(load_key(path, false));
  REQUIRE(set_modes(0755, 0440));
  CHECK_FALSE(load_key(path, false));
  REQUIRE(set_modes(0750, 0440));
  REQUIRE(::setenv("CREDENTIALS_DIRECTORY", "/elsewhere", 1) == 0);
  CHECK_FALSE(load_key(path, false));
  REQUIRE(::unsetenv("CREDENTIALS_DIRECTORY") == 0);
}
