#include "secrets.hpp"

#include <sys/stat.h>

#include <axl/key_file.hpp>
#include <catch2/catch_test_macros.hpp>

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
