// The bodies that nodes send each other, version 1.
//
// Every body begins with the version (1) and its type; integers are big-endian, `uvarint` is that of the overlay, text
// is its length in one byte and the bytes. What is read is checked as far as it can be without the session it belongs
// to: the groups of a part mean something only with the operation, so they are read by read_groups().
//
//   1 ask      child to parent   token 16, time, flags, question    "have the root ask this"
//   2 request  parent to child   nonce 16, life, budget, flags, question
//   3 part     child to parent   nonce 16, marks, groups            "this is all of me and of those below me"
//   4 decline  child to parent   nonce 16, reason 1
//   5 answer   parent to child   token 16, status 1, then for status 0: marks, groups
//   6 result   parent to child   nonce 16, marks, groups            "this came of it"
//
//   time, life, budget   milliseconds, 4 bytes
//   flags                1: the result goes to everybody
//   question             name (text), operation 1, then for top: limit 2; for custom: merge (text)
//   marks                contributed, abstained, missing (uvarint each), flags 1 (1 settling, 2 truncated), number of
//                        keys 1, missing keys 32 each, ascending
//   groups               number uvarint, then each, by ascending name: name (text), count uvarint (at least 1), then
//                        sum, mean   flags 1 (1 negative), first limb 1, number of limbs 1, limbs 4 each, lowest first
//                        min, max    number
//                        top         number of entries 1, then number and key 32 each, in their order
//                        custom      size uvarint, bytes
//   number               0 and a signed integer of 8 bytes, or 1 and a double of 8 bytes that is none such
#pragma once

#include <array>
#include <axl/aggregation.hpp>
#include <cstdint>
#include <variant>
#include <vector>

#include "convergecast/groups.hpp"

namespace axl::convergecast {

inline constexpr std::size_t kMaxBody = 131'072;  ///< a longer body is malformed, and none is made
inline constexpr std::size_t kMaxMarks = 2048;    ///< header and marks at most; the rest of a body is for groups
inline constexpr std::size_t kMaxGroupsSize = kMaxBody - kMaxMarks;

using Nonce = std::array<std::byte, 16>;
using Token = std::array<std::byte, 16>;

/// What is known of a part besides its values.
struct Marks {
  std::uint64_t contributed = 0;
  std::uint64_t abstained = 0;
  std::uint64_t missing = 0;
  std::vector<PublicKey> missing_keys;  ///< ascending, at most kMaxMissingKeys
  bool settling = false;
  bool truncated = false;

  void add_missing(const PublicKey& key);
  void add(const Marks& more);
  friend bool operator==(const Marks&, const Marks&) = default;
};

struct Ask {
  Token token{};
  Question question;
};
struct Request {
  Nonce nonce{};
  Duration life{};    ///< of the session, from its beginning at the root
  Duration budget{};  ///< for the child to answer
  Question question;  ///< its time is `life`
};
enum class Reason : std::uint8_t {
  taken = 1,        ///< has answered another parent already: is in its account
  not_parent = 2,   ///< has another parent now
  too_new = 3,      ///< may have answered before it was restarted
  busy = 4,         ///< a table is full
  unsupported = 5,  ///< does not know this merge
};
/// The groups are not read yet; the view lies in the body.
struct PartView {
  Nonce nonce{};
  Marks marks;
  ByteSpan groups;
};
struct Decline {
  Nonce nonce{};
  Reason reason{};
};
enum class Status : std::uint8_t { outcome = 0, busy = 1, unsupported = 2 };
struct AnswerView {
  Token token{};
  Status status{};
  Marks marks;
  ByteSpan groups;
};
struct ResultView {
  Nonce nonce{};
  Marks marks;
  ByteSpan groups;
};
using BodyView = std::variant<Ask, Request, PartView, Decline, AnswerView, ResultView>;

[[nodiscard]] Result<BodyView> read_body(ByteSpan body);
[[nodiscard]] Result<Groups> read_groups(ByteSpan groups, const Operation& operation, const Marks& marks);

[[nodiscard]] Bytes encode(const Ask& ask);
[[nodiscard]] Bytes encode(const Request& request);
[[nodiscard]] Bytes encode(const Decline& decline);
[[nodiscard]] Bytes encode_part(const Nonce& nonce, const Marks& marks, ByteSpan groups);
[[nodiscard]] Bytes encode_answer(const Token& token, const Marks& marks, ByteSpan groups);
[[nodiscard]] Bytes encode_refusal(const Token& token, Status status);
[[nodiscard]] Bytes encode_result(const Nonce& nonce, const Marks& marks, ByteSpan groups);
[[nodiscard]] Bytes encode_groups(const Groups& groups, const Operation& operation);

}  // namespace axl::convergecast
