// Runs a target on a corpus, and on inputs that a seeded generator makes of it: bytes changed, taken out, put in,
// repeated, and the ends of two inputs joined. Usage: fuzz_x COUNT FOLDER...

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

constexpr std::size_t kMaxSize = 64 * 1024;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_{corpus} {}

  std::string next() {
    auto text = any_input();
    for (auto changes = 1 + below(4); changes > 0; --changes) change(text);
    text.resize(std::min(text.size(), kMaxSize));
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const std::string& any_input() { return corpus_[below(corpus_.size())]; }

  void change(std::string& text) {
    constexpr std::string_view kTelling =
        "\"\\{}[]:,\r\n\t \0\x80\xff"
        "eE+-.0u/";
    const auto at = below(text.size());
    const auto count = 1 + below(16);
    switch (below(6)) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(below(256));
        break;
      case 1:
        if (!text.empty()) text[at] = kTelling[below(kTelling.size())];
        break;
      case 2: text.erase(at, count); break;
      case 3: text.insert(at, 1, kTelling[below(kTelling.size())]); break;
      case 4: text.insert(at, text.substr(below(text.size()), count)); break;
      default: {
        const auto& other = any_input();
        text = text.substr(0, at) + other.substr(below(other.size()));
      }
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 2; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator{argv[i]}) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& path : files) {
    std::ifstream file{path, std::ios::binary};
    corpus.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
  }
  if (argc < 3 || corpus.empty()) {
    std::fputs("usage: COUNT FOLDER...\n", stderr);
    return 2;
  }
  run({});
  for (const auto& input : corpus) run(input);
  Mutator mutator{corpus};
  for (auto count = std::atol(argv[1]); count > 0; --count) run(mutator.next());
  return 0;
}
