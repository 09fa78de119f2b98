#include "convergecast/codec.hpp"

#include <algorithm>
#include <bit>

#include "convergecast/writer.hpp"
#include "wire/codec.hpp"

namespace axl::convergecast {

namespace {

using Kind = Operation::Kind;
using wire::Reader;

constexpr std::uint8_t kVersion = 1;
enum class Type : std::uint8_t { ask = 1, request, part, decline, answer, result };

Error malformed(const char* what) { return {Errc::malformed, std::string{"malformed aggregation "} + what}; }

// Reading.

std::string read_text(Reader& in) { return std::string{as_text(in.bytes(in.u8()))}; }

template <std::size_t size>
std::array<std::byte, size> read_array(Reader& in) {
  std::array<std::byte, size> value{};
  std::ranges::copy(in.bytes(size), value.begin());
  return value;
}

Duration read_time(Reader& in) { return std::chrono::milliseconds{in.u32()}; }

// Flags, then the question; its time is set before.
void read_question(Reader& in, Question& question) {
  const auto flags = in.u8();
  question.tell_all = (flags & 1) != 0;
  question.name = read_text(in);
  question.operation.kind = static_cast<Kind>(in.u8());
  if (question.operation.kind == Kind::top) question.operation.limit = in.u16();
  if (question.operation.kind == Kind::custom) question.operation.merge = read_text(in);
  if (flags > 1 || !check(question)) in.fail();
}

std::uint64_t read_count(Reader& in) {
  const auto count = in.uvarint();
  if (count > kMaxNodes) in.fail();
  return count;
}

Marks read_marks(Reader& in) {
  Marks marks;
  marks.contributed = read_count(in);
  marks.abstained = read_count(in);
  marks.missing = read_count(in);
  const auto flags = in.u8();
  marks.settling = (flags & 1) != 0;
  marks.truncated = (flags & 2) != 0;
  const auto keys = in.u8();
  if (flags > 3 || keys > kMaxMissingKeys || keys > marks.missing) in.fail();
  for (std::size_t i = 0; i < keys && in.ok(); ++i) {
    const auto key = in.key();
    if (!marks.missing_keys.empty() && key <= marks.missing_keys.back()) in.fail();
    marks.missing_keys.push_back(key);
  }
  if (marks.missing > 0 && marks.missing_keys.empty()) in.fail();
  return marks;
}

Number read_number(Reader& in) {
  const auto tag = in.u8();
  const auto bits = in.u64();
  if (tag == 0) return Number{static_cast<std::int64_t>(bits)};
  const auto number = Number::from_double(std::bit_cast<double>(bits));
  if (tag == 1 && number && !number->is_integer()) return *number;
  in.fail();
  return {};
}

ExactSum read_sum(Reader& in) {
  const auto flags = in.u8();
  const auto first = in.u8();
  const auto size = in.u8();
  std::vector<std::uint32_t> limbs;
  for (std::size_t i = 0; i < size && in.ok(); ++i) limbs.push_back(in.u32());
  auto sum = flags <= 1 ? ExactSum::from_parts(flags == 1, first, std::move(limbs)) : std::nullopt;
  if (!sum) in.fail();
  return sum.value_or(ExactSum{});
}

void read_top(Reader& in, Accumulator& group, std::uint16_t limit) {
  const auto size = in.u8();
  if (size == 0 || size > limit || size > group.count) in.fail();
  for (std::size_t i = 0; i < size && in.ok(); ++i) {
    const auto value = read_number(in);
    group.top.push_back({value, in.key()});
    if (i > 0 && !ranks_before(group.top[i - 1], group.top[i])) in.fail();
  }
}

Accumulator read_group(Reader& in, const Operation& operation) {
  Accumulator group;
  group.count = read_count(in);
  if (group.count == 0) in.fail();
  switch (operation.kind) {
    case Kind::count: break;
    case Kind::sum:
    case Kind::mean: group.sum = read_sum(in); break;
    case Kind::min:
    case Kind::max: group.best = read_number(in); break;
    case Kind::top: read_top(in, group, operation.limit); break;
    case Kind::custom: {
      const auto size = in.uvarint();
      if (size > kMaxAggregationBytes) in.fail();
      group.bytes = to_bytes(in.bytes(in.ok() ? static_cast<std::size_t>(size) : 0));
    }
  }
  return group;
}

Result<BodyView> read_typed(Type type, Reader& in) {
  switch (type) {
    case Type::ask: {
      Ask ask;
      ask.token = read_array<16>(in);
      ask.question.time = read_time(in);
      read_question(in, ask.question);
      if (in.ok() && in.at_end()) return BodyView{std::move(ask)};
      return malformed("ask");
    }
    case Type::request: {
      Request request;
      request.nonce = read_array<16>(in);
      request.life = request.question.time = read_time(in);
      request.budget = read_time(in);
      read_question(in, request.question);
      if (in.ok() && in.at_end() && request.budget <= request.life) return BodyView{std::move(request)};
      return malformed("request");
    }
    case Type::part: {
      PartView part;
      part.nonce = read_array<16>(in);
      part.marks = read_marks(in);
      part.groups = in.rest();
      if (in.ok()) return BodyView{std::move(part)};
      return malformed("part");
    }
    case Type::decline: {
      Decline decline;
      decline.nonce = read_array<16>(in);
      decline.reason = static_cast<Reason>(in.u8());
      const bool known = decline.reason >= Reason::taken && decline.reason <= Reason::unsupported;
      if (in.ok() && in.at_end() && known) return BodyView{decline};
      return malformed("decline");
    }
    case Type::answer: {
      AnswerView answer;
      answer.token = read_array<16>(in);
      answer.status = static_cast<Status>(in.u8());
      if (answer.status == Status::outcome) {
        answer.marks = read_marks(in);
        answer.groups = in.rest();
        if (in.ok()) return BodyView{std::move(answer)};
      } else if (in.ok() && in.at_end() && answer.status <= Status::unsupported) {
        return BodyView{std::move(answer)};
      }
      return malformed("answer");
    }
    case Type::result: {
      ResultView result;
      result.nonce = read_array<16>(in);
      result.marks = read_marks(in);
      result.groups = in.rest();
      if (in.ok()) return BodyView{std::move(result)};
      return malformed("result");
    }
  }
  return malformed("type");
}

// Writing.

Writer begin(Type type) {
  Writer out;
  out.u8(kVersion).u8(static_cast<std::uint8_t>(type));
  return out;
}

void put_time(Writer& out, Duration time) {
  out.u32(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
}

void put_question(Writer& out, const Question& question) {
  out.u8(question.tell_all ? 1 : 0).text(question.name).u8(static_cast<std::uint8_t>(question.operation.kind));
  if (question.operation.kind == Kind::top) out.u16(question.operation.limit);
  if (question.operation.kind == Kind::custom) out.text(question.operation.merge);
}

void put_marks(Writer& out, const Marks& marks) {
  out.uvarint(marks.contributed).uvarint(marks.abstained).uvarint(marks.missing);
  out.u8(static_cast<std::uint8_t>((marks.settling ? 1 : 0) | (marks.truncated ? 2 : 0)));
  out.u8(static_cast<std::uint8_t>(marks.missing_keys.size()));
  for (const auto& key : marks.missing_keys) out.bytes(key.bytes());
}

void put_number(Writer& out, const Number& number) {
  if (number.is_integer()) {
    out.u8(0).u64(static_cast<std::uint64_t>(number.integer()));
  } else {
    out.u8(1).u64(std::bit_cast<std::uint64_t>(number.to_double()));
  }
}

void put_group(Writer& out, const Accumulator& group, Kind kind) {
  out.uvarint(group.count);
  switch (kind) {
    case Kind::count: break;
    case Kind::sum:
    case Kind::mean: {
      const auto& limbs = group.sum.limbs();
      out.u8(group.sum.negative() ? 1 : 0).u8(static_cast<std::uint8_t>(group.sum.first()));
      out.u8(static_cast<std::uint8_t>(limbs.size()));
      for (const auto limb : limbs) out.u32(limb);
      break;
    }
    case Kind::min:
    case Kind::max: put_number(out, group.best); break;
    case Kind::top:
      out.u8(static_cast<std::uint8_t>(group.top.size()));
      for (const auto& [value, node] : group.top) {
        put_number(out, value);
        out.bytes(node.bytes());
      }
      break;
    case Kind::custom: out.uvarint(group.bytes.size()).bytes(group.bytes); break;
  }
}

}  // namespace

Result<BodyView> read_body(ByteSpan body) {
  if (body.size() > kMaxBody) return malformed("body: too long");
  Reader in{body};
  if (in.u8() != kVersion) return malformed("version");
  return read_typed(static_cast<Type>(in.u8()), in);
}

Result<Groups> read_groups(ByteSpan bytes, const Operation& operation, const Marks& marks) {
  Reader in{bytes};
  Groups groups;
  const auto size = in.uvarint();
  if (size > kMaxAggregationGroups) in.fail();
  for (std::uint64_t i = 0; i < size && in.ok(); ++i) {
    auto name = read_text(in);
    if (!is_group(name) || (!groups.empty() && name <= groups.rbegin()->first)) in.fail();
    auto group = read_group(in, operation);
    if (group.count > marks.contributed) in.fail();
    groups.emplace_hint(groups.end(), std::move(name), std::move(group));
  }
  if (!in.ok() || !in.at_end()) return malformed("groups");
  return groups;
}

Bytes encode(const Ask& ask) {
  auto out = begin(Type::ask);
  out.bytes(ask.token);
  put_time(out, ask.question.time);
  put_question(out, ask.question);
  return std::move(out).take();
}

Bytes encode(const Request& request) {
  auto out = begin(Type::request);
  out.bytes(request.nonce);
  put_time(out, request.life);
  put_time(out, request.budget);
  put_question(out, request.question);
  return std::move(out).take();
}

Bytes encode(const Decline& decline) {
  auto out = begin(Type::decline);
  out.bytes(decline.nonce).u8(static_cast<std::uint8_t>(decline.reason));
  return std::move(out).take();
}

Bytes encode_part(const Nonce& nonce, const Marks& marks, ByteSpan groups) {
  auto out = begin(Type::part);
  out.bytes(nonce);
  put_marks(out, marks);
  out.bytes(groups);
  return std::move(out).take();
}

Bytes encode_answer(const Token& token, const Marks& marks, ByteSpan groups) {
  auto out = begin(Type::answer);
  out.bytes(token).u8(0);
  put_marks(out, marks);
  out.bytes(groups);
  return std::move(out).take();
}

Bytes encode_refusal(const Token& token, Status status) {
  auto out = begin(Type::answer);
  out.bytes(token).u8(static_cast<std::uint8_t>(status));
  return std::move(out).take();
}

Bytes encode_result(const Nonce& nonce, const Marks& marks, ByteSpan groups) {
  auto out = begin(Type::result);
  out.bytes(nonce);
  put_marks(out, marks);
  out.bytes(groups);
  return std::move(out).take();
}

Bytes encode_groups(const Groups& groups, const Operation& operation) {
  Writer out;
  out.uvarint(groups.size());
  for (const auto& [name, group] : groups) {
    out.text(name);
    put_group(out, group, operation.kind);
  }
  return std::move(out).take();
}

}  // namespace axl::convergecast
