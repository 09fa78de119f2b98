// One member of a swarm, a process of its own: says how it is when anybody asks all, and asks when it is told to.
//
//   swarm --key FILE --number N --seed S --began MILLISECONDS [--listen URI]... [--peer URI]...
//
// `--began`: when the swarm's first reading was, since 1970; there are ten a second. Commands are lines on standard
// input, and what comes of them lines of JSON on standard output. Ends with its input.
//
//   ask ID KIND NAME MILLISECONDS [tell]   KIND: count, sum, min, max, mean or top:LIMIT. NAME: see robot.hpp.
//   parent                                 where it is in the tree; the root is its own parent
#include <axl/axl.hpp>
#include <axl/convergecast.hpp>
#include <axl/key_file.hpp>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "robot.hpp"

namespace swarm {
namespace {

using Kind = axl::Operation::Kind;

template <class T>
T need(axl::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "swarm: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

struct Options {
  axl::NodeConfig node;
  std::uint64_t seed = 0;
  unsigned number = 0;
  std::int64_t began = 0;
};

std::optional<Options> parse(int argc, char** argv) {
  Options out;
  if (argc % 2 == 0) return std::nullopt;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* const value = argv[i + 1];
    if (name == "--key") {
      out.node.identity = need(axl::read_or_make_key_file(value));
    } else if (name == "--number") {
      out.number = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    } else if (name == "--seed") {
      out.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--began") {
      out.began = std::strtoll(value, nullptr, 10);
    } else if (name == "--listen") {
      out.node.listen.emplace_back(value);
    } else if (name == "--peer") {
      out.node.peers.push_back({.uri = value});
    } else {
      return std::nullopt;
    }
  }
  if (!out.node.identity || out.number > 62) return std::nullopt;
  return out;
}

std::uint64_t reading(std::int64_t began) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() - began;
  return since < 0 ? 0 : static_cast<std::uint64_t>(since) / 100;
}

// JSON. Keys and the names of our questions and groups need no escaping; what others call theirs might.

std::string quoted(std::string_view text) {
  std::string out{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string json(const axl::Number& value) {
  if (value.is_integer()) return std::to_string(value.integer());
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value.to_double());
  return text;
}

template <class List, class Function>
std::string json_list(const List& list, Function one) {
  std::string out{'['};
  for (const auto& item : list) out += (out.size() > 1 ? ", " : "") + one(item);
  return out + ']';
}

std::string json(const axl::Aggregate& group) {
  return "{\"group\": " + quoted(group.group) + ", \"count\": " + std::to_string(group.count) +
         ", \"value\": " + json(group.value) +
         ", \"top\": " + json_list(group.top, [](const axl::Aggregate::Ranked& ranked) {
           return "[" + json(ranked.value) + ", " + quoted(ranked.node.to_hex()) + "]";
         }) + "}";
}

std::string json(const axl::Outcome& outcome) {
  return "{\"contributed\": " + std::to_string(outcome.contributed) +
         ", \"abstained\": " + std::to_string(outcome.abstained) + ", \"missing\": " + std::to_string(outcome.missing) +
         ", \"missing_keys\": " +
         json_list(outcome.missing_keys, [](const axl::PublicKey& key) { return quoted(key.to_hex()); }) +
         ", \"settling\": " + (outcome.settling ? "true" : "false") +
         ", \"complete\": " + (outcome.complete() ? "true" : "false") +
         ", \"groups\": " + json_list(outcome.groups, [](const axl::Aggregate& group) { return json(group); }) + "}";
}

// One call, so that lines of the node's loop and of the main thread do not mix.
void say(const std::string& line) {
  std::fputs((line + '\n').c_str(), stdout);
  std::fflush(stdout);
}

std::optional<axl::Operation> operation_of(const std::string& text) {
  static const std::map<std::string, Kind, std::less<>> kinds{
      {"count", Kind::count}, {"sum", Kind::sum}, {"min", Kind::min}, {"max", Kind::max}, {"mean", Kind::mean}};
  if (const auto kind = kinds.find(text); kind != kinds.end()) return axl::Operation{.kind = kind->second, .merge = {}};
  if (!text.starts_with("top:")) return std::nullopt;
  const auto limit = std::strtoul(text.c_str() + 4, nullptr, 10);
  if (limit == 0 || limit > axl::Operation::kMaxTop) return std::nullopt;
  return axl::Operation{.kind = Kind::top, .limit = static_cast<std::uint16_t>(limit), .merge = {}};
}

class Member {
 public:
  explicit Member(Options options)
      : robot_{options.seed, options.number, reading(options.began)},
        began_{options.began},
        node_{need(axl::Node::create(std::move(options.node)))},
        statistics_{need(axl::Convergecast::attach(*node_))} {
    statistics_->on_question(
        [this](const axl::Question& question) { return robot_.answer(question.name, reading(began_)); });
    statistics_->on_told([](const axl::Question& question, const axl::Outcome& outcome) {
      say("{\"told\": " + quoted(question.name) + ", \"outcome\": " + json(outcome) + "}");
    });
    need(node_->start());
    say("{\"key\": " + quoted(node_->key().to_hex()) + ", \"uris\": " + json_list(node_->listeners(), quoted) + "}");
  }

  [[nodiscard]] bool obey(const std::string& line) {
    std::istringstream words{line};
    std::string command;
    words >> command;
    if (command == "ask") return ask(words);
    if (command != "parent") return false;
    const auto topology = node_->topology();
    axl::PublicKey parent = topology.our_key;
    for (const auto& entry : topology.tree) {
      if (entry.key == topology.our_key) parent = entry.parent;
    }
    say("{\"parent\": " + quoted(parent.to_hex()) + "}");
    return true;
  }

 private:
  bool ask(std::istringstream& words) {
    std::string id;
    std::string kind;
    std::string tell;
    axl::Question question;
    std::int64_t milliseconds = 0;
    if (!(words >> id >> kind >> question.name >> milliseconds)) return false;
    words >> tell;
    const auto operation = operation_of(kind);
    if (!operation) return false;
    question.operation = *operation;
    question.time = std::chrono::milliseconds{milliseconds};
    question.tell_all = tell == "tell";
    statistics_->ask(std::move(question), [id](const axl::Result<axl::Outcome>& outcome) {
      say("{\"id\": " + quoted(id) + (outcome ? ", \"outcome\": " + json(*outcome)
                                              : ", \"error\": " + quoted(outcome.error().text())) + "}");
    });
    return true;
  }

  Robot robot_;
  std::int64_t began_;
  std::unique_ptr<axl::Node> node_;
  std::unique_ptr<axl::Convergecast> statistics_;  // ends before the node
};

}  // namespace
}  // namespace swarm

int main(int argc, char** argv) {
  auto options = swarm::parse(argc, argv);
  if (!options) {
    std::fputs("swarm --key FILE --number N --seed S --began MILLISECONDS [--listen URI]... [--peer URI]...\n", stderr);
    return 2;
  }
  swarm::Member member{*std::move(options)};
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!member.obey(line)) std::fprintf(stderr, "swarm: not understood: %s\n", line.c_str());
  }
  return 0;
}
