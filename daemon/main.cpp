// axld: a node of the mesh with an HTTP API for programs on this machine.
#include <fmt/format.h>

#include <axl/key_file.hpp>
#include <axl/version.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "config_keys.hpp"
#include "console_log.hpp"
#include "heap.hpp"
#include "options.hpp"
#include "run.hpp"
#include "serve.hpp"
#include "signals.hpp"

namespace {

using namespace axl::daemon;

int make_key(const std::string& path) {
  const auto key = axl::make_key_file(path);
  if (!key) return exit_with(key.error());
  say(fmt::format("{}: key of {}", path, key->public_key().to_hex()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto options = parse_options(arguments);
  if (!options) {
    std::fprintf(stderr, "%s\n%s", options.error().text().c_str(), usage().c_str());
    return 2;
  }
  switch (options->action) {
    case Action::help: std::fputs(usage().c_str(), stderr); return 0;
    case Action::help_config: std::fputs(config_table().c_str(), stdout); return 0;
    case Action::version: std::printf("axld %s\n", axl::kVersion); return 0;
    case Action::genkey: return make_key(options->new_key_path);
    case Action::check_config: return check_config(*options);
    case Action::run:
    case Action::demo: break;
  }
  keep_some_freed_memory();
  block_signals();
  raise_descriptor_limit();
  return options->action == Action::demo ? run_demo(*options) : run_node(*options);
}
