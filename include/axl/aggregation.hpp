// Numbers of many nodes made into one: what is asked, what a node puts in, and what comes out.
//
// Every operation but `custom` gives the same result in whatever order the nodes' values meet: whole numbers and
// doubles are compared by value, and sums are exact, rounded once at the end.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace axl {

/// A whole number of 64 bits, or a double that is none; never infinite nor "not a number".
class AXL_API Number {
 public:
  Number() = default;  ///< 0
  Number(std::int64_t value) noexcept : integer_{value} {}
  /// A double with a whole value that fits becomes a whole number. invalid_argument: infinite or not a number.
  [[nodiscard]] static Result<Number> from_double(double value);

  [[nodiscard]] bool is_integer() const noexcept { return is_integer_; }
  [[nodiscard]] std::int64_t integer() const noexcept { return integer_; }  ///< if is_integer()
  [[nodiscard]] double to_double() const noexcept;                          ///< the nearest double

  friend bool operator==(const Number&, const Number&) = default;
  /// By value, exactly.
  friend AXL_API std::strong_ordering operator<=>(const Number& a, const Number& b) noexcept;

 private:
  bool is_integer_ = true;
  std::int64_t integer_ = 0;
  double real_ = 0;
};

/// What is done with the values.
struct AXL_API Operation {
  enum class Kind : std::uint8_t {
    count = 1,   ///< how many nodes put something in
    sum = 2,     ///< exact; as a whole number when it is one of 64 bits, else the nearest double
    min = 3,     ///< the lowest
    max = 4,     ///< the highest
    mean = 5,    ///< exact sum by count, as the nearest double
    top = 6,     ///< the `limit` highest values and the nodes they are from
    custom = 7,  ///< bytes, merged two by two by the function that every node knows as `merge`
  };
  Kind kind = Kind::count;
  std::uint16_t limit = 0;  ///< of `top`, 1 to kMaxTop
  std::string merge;        ///< of `custom`; a name as questions have

  static constexpr std::uint16_t kMaxTop = 64;
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// Bounds on what takes part in an aggregation.
inline constexpr std::size_t kMaxAggregationName = 64;    ///< bytes of a question's, merge's or group's name
inline constexpr std::size_t kMaxAggregationGroups = 256;  ///< of one question; of more, the first by name stay
inline constexpr std::size_t kMaxAggregationBytes = 16'384;  ///< one value of a custom operation
inline constexpr std::size_t kMaxMissingKeys = 32;           ///< named in an outcome; of more, the lowest keys
inline constexpr Duration kLeastAggregationTime{std::chrono::milliseconds{100}};
inline constexpr Duration kMostAggregationTime{std::chrono::minutes{1}};

struct Question {
  std::string name;  ///< what is asked for: 1 to 64 bytes of text that may be shown
  Operation operation;
  /// Nodes that have not been heard of after it are missing in the outcome.
  Duration time{std::chrono::seconds{10}};
  /// The outcome goes to every node that took part, not only to the one that asked.
  bool tell_all = false;
};

/// One value of a node, in a group of its own choosing (empty: the only one). A node has at most one in each group.
struct Contribution {
  std::string group;
  std::variant<Number, Bytes> value;  ///< bytes for custom operations; `count` looks at neither
};

/// What came of one group.
struct Aggregate {
  struct Ranked {
    Number value;
    PublicKey node;
    friend bool operator==(const Ranked&, const Ranked&) = default;
  };
  std::string group;
  std::uint64_t count = 0;  ///< nodes that put something in
  Number value;             ///< of count, sum, min, max and mean
  std::vector<Ranked> top;  ///< highest first; of equal values the lower key first
  Bytes bytes;              ///< of custom
};

struct Outcome {
  std::vector<Aggregate> groups;  ///< sorted by name
  std::uint64_t contributed = 0;  ///< nodes that put something in, in whatever group
  std::uint64_t abstained = 0;    ///< nodes that were asked and had nothing to say
  std::uint64_t missing = 0;      ///< nodes that did not answer in time or could not, each with all below it
  std::vector<PublicKey> missing_keys;  ///< the first of them, sorted
  /// The tree has changed of late, somewhere below the root: nodes may have been on their way from one parent to
  /// another, and in none's account.
  bool settling = false;
  bool truncated = false;  ///< there were more groups; those that are here are whole

  /// Every node of the tree is in it. Otherwise it is right for the nodes that are, each of them once.
  [[nodiscard]] bool complete() const noexcept { return missing == 0 && !settling && !truncated; }
};

}  // namespace axl
