#include "options.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::daemon::Action;
using axl::daemon::Options;
using axl::daemon::parse_options;

namespace {

axl::Result<Options> parse(const std::vector<std::string>& arguments) { return parse_options(arguments); }

std::string error_of(const std::vector<std::string>& arguments) {
  const auto options = parse(arguments);
  return options ? "(no error)" : options.error().text();
}

}  // namespace

TEST_CASE("options: one dash or two, a blank or an equals sign", "[daemon]") {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"-config", "f"}, {"--config", "f"}, {"-config=f"}, {"--config=f"}}) {
    CHECK(parse(arguments)->config_path == "f");
  }
  CHECK(parse({})->config_path == "node-config.json");
  CHECK(parse({"-listen", "tls://a:1", "--listen=tls://b:2?x=y"})->listen ==
        std::vector<std::string>{"tls://a:1", "tls://b:2?x=y"});
}

TEST_CASE("options: each does its thing", "[daemon]") {
  CHECK(parse({})->action == Action::run);
  CHECK(parse({"--demo"})->action == Action::demo);
  CHECK(parse({"-h"})->action == Action::help);
  CHECK(parse({"--help"})->action == Action::help);
  CHECK(parse({"--help-config"})->action == Action::help_config);
  CHECK(parse({"--version"})->action == Action::version);
  CHECK(parse({"--check-config"})->action == Action::check_config);
  CHECK(parse({"--genkey", "k"})->action == Action::genkey);
  CHECK(parse({"--genkey", "k"})->new_key_path == "k");
  CHECK(parse({"-key", "k"})->private_key_path == "k");
  CHECK(parse({"--api-port", "0"})->api_port == 0);
  CHECK(parse({"--api-port=65535"})->api_port == 65'535);
  CHECK(parse({"--insecure-key-file"})->insecure_key_file);
  CHECK(parse({"--strict"})->strict);
  CHECK(parse({"--log-format=compat"})->compat_log);
  CHECK_FALSE(parse({"--log-format=text"})->compat_log);
}

TEST_CASE("options: extra arguments are ignored", "[daemon]") {
  CHECK(parse({"-config", "f", "x", "y"})->config_path == "f");
  CHECK(parse({"x", "-config", "f"})->config_path == "f");
  CHECK(parse({"--", "-foo"})->action == Action::run);
}

TEST_CASE("options: what is wrong is said", "[daemon]") {
  CHECK(error_of({"-foo"}) == "flag provided but not defined: -foo");
  CHECK(error_of({"--foo=1"}) == "flag provided but not defined: -foo");
  CHECK(error_of({"-config"}) == "flag needs an argument: -config");
  CHECK(error_of({"--genkey="}) == "flag needs an argument: -genkey");
  CHECK(error_of({"--demo=1"}) == "flag -demo takes no value");
  CHECK(error_of({"--api-port", "65536"}).starts_with("invalid value \"65536\" for flag -api-port"));
  CHECK(error_of({"--api-port", "-1"}).starts_with("invalid value"));
  CHECK(error_of({"--log-format=xml"}).starts_with("invalid value"));
}

TEST_CASE("options: the usage names all of them", "[daemon]") {
  const auto text = axl::daemon::usage();
  for (const auto* name : {"-config FILE", "-listen URI", "-api-port N", "-demo", "-check-config", "-genkey FILE",
                           "-insecure-key-file", "-strict", "-log-format", "-help-config", "-version", "-help", "-h"}) {
    CHECK(text.find(name) != std::string::npos);
  }
}
