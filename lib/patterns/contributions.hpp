// What programs of this machine have left here for this node to say when it is asked, by the names of questions.
#pragma once

#include <axl/aggregation.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl::patterns {

class Contributions {
 public:
  static constexpr std::size_t kMax = 256;

  struct Entry {
    std::vector<Contribution> values;
    std::optional<Time> until;    ///< empty: until it is taken back
    std::uint64_t asked = 0;      ///< how often it has been said
    std::optional<Outcome> told;  ///< the last outcome that was told to all who took part
    Operation operation;          ///< of it
  };

  /// Replaces an earlier one of that name; limit_reached.
  Result<void> set(const std::string& name, std::vector<Contribution> values, std::optional<Time> until, Time now);
  bool remove(std::string_view name, Time now);
  [[nodiscard]] Entry* find(std::string_view name, Time now);
  [[nodiscard]] const std::map<std::string, Entry, std::less<>>& all(Time now);

 private:
  void forget_old(Time now);

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace axl::patterns
