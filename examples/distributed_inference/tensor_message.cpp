#include "tensor_message.hpp"

#include <algorithm>
#include <array>

#include "msgpack.hpp"

namespace tensor_link {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxDimensions = 8;
constexpr std::uint64_t kMaxMessage = 0xFFFF'FFFF;

struct Dtype {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array<Dtype, 11> kDtypes{{{"float16", 2}, {"float32", 4}, {"float64", 8}, {"int8", 1},
                                         {"int16", 2}, {"int32", 4}, {"int64", 8}, {"uint8", 1},
                                         {"uint16", 2}, {"uint32", 4}, {"uint64", 8}}};

axl::Error malformed(const char* what) { return {axl::Errc::malformed, what}; }

void put(Writer& out, const std::string& name, const Value& value) {
  out.text(name);
  if (const auto* text = std::get_if<std::string>(&value)) out.text(*text);
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) out.whole(*whole);
  if (const auto* number = std::get_if<double>(&value)) out.number(*number);
  if (const auto* boolean = std::get_if<bool>(&value)) out.boolean(*boolean);
}

// All of the message but the bytes of the tensor.
axl::Bytes head_of(const Fields& fields, const Tensor& tensor) {
  Writer last;
  last.text("tensor");
  last.map(4);
  put(last, "encoding", "raw-le");
  put(last, "dtype", tensor.dtype);
  last.text("shape");
  last.array(tensor.shape.size());
  for (const auto one : tensor.shape) last.whole(one);
  last.text("tensor_data");
  last.binary(tensor.data.size());
  Writer out;
  out.map(fields.size() + 2);
  for (const auto& [name, value] : fields) put(out, name, value);
  out.text("pad");
  constexpr std::size_t kBinaryTag = 5;
  const auto size = out.size() + kBinaryTag + last.size();
  const auto pad = (kAlignment - size % kAlignment) % kAlignment;
  out.binary(pad);
  out.bytes(axl::Bytes(pad));
  out.bytes(std::move(last).take());
  return std::move(out).take();
}

axl::Result<std::vector<std::uint64_t>> shape_of(Reader& in) {
  const auto size = in.array();
  if (!size) return size.error();
  if (*size > kMaxDimensions) return malformed("a shape of too many dimensions");
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < *size; ++i) {
    const auto one = in.whole();
    if (!one) return one.error();
    out.push_back(*one);
  }
  return out;
}

// Whether so many elements of so many bytes are exactly `size`, without an overflow on the way.
bool fits(const Tensor& tensor, std::uint64_t element) {
  const auto size = std::uint64_t{tensor.data.size()};
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0U) != tensor.shape.end()) return size == 0;
  std::uint64_t product = element;
  for (const auto one : tensor.shape) {
    if (one > size / product) return false;
    product *= one;
  }
  return product == size;
}

axl::Result<Tensor> tensor_of(Reader& in, const axl::MessageBody& body) {
  const auto members = in.map();
  if (!members) return members.error();
  Tensor out;
  bool raw = false;
  for (std::size_t i = 0; i < *members; ++i) {
    const auto name = in.text();
    if (!name) return name.error();
    if (*name == "encoding" || *name == "dtype") {
      const auto value = in.text();
      if (!value) return value.error();
      if (*name == "dtype") out.dtype = *value;
      if (*name == "encoding") raw = *value == "raw-le";
    } else if (*name == "shape") {
      auto shape = shape_of(in);
      if (!shape) return shape.error();
      out.shape = *std::move(shape);
    } else if (*name == "tensor_data") {
      const auto data = in.binary();
      if (!data) return data.error();
      out.data = {body.owner(), *data};
    } else if (const auto skipped = in.skip(); !skipped) {
      return skipped.error();
    }
  }
  const auto* dtype =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& one) { return one.name == out.dtype; });
  if (!raw || dtype == kDtypes.end()) return malformed("a tensor in an encoding or of a type that is not known");
  if (!fits(out, dtype->size)) return malformed("a tensor whose bytes are not those of its shape");
  return out;
}

axl::Result<void> read_member(std::string_view name, Reader& in, const axl::MessageBody& body, TensorMessage& out) {
  if (name == "type" || name == "test_name") {
    const auto value = in.text();
    if (!value) return value.error();
    (name == "type" ? out.type : out.test_name) = *value;
  } else if (name == "seed" || name == "rounds" || name == "in_full") {
    const auto value = in.whole();
    if (!value) return value.error();
    (name == "seed" ? out.seed : name == "rounds" ? out.rounds : out.in_full) = *value;
  } else if (name == "verified") {
    const auto value = in.boolean();
    if (!value) return value.error();
    out.verified = *value;
  } else if (name == "tensor") {
    auto tensor = tensor_of(in, body);
    if (!tensor) return tensor.error();
    out.tensor = *std::move(tensor);
  } else {
    return in.skip();
  }
  return {};
}

}  // namespace

axl::Result<TensorMessage> parse(const axl::MessageBody& body) {
  Reader in{body};
  const auto members = in.map();
  if (!members) return members.error();
  TensorMessage out;
  for (std::size_t i = 0; i < *members; ++i) {
    const auto name = in.text();
    if (!name) return name.error();
    if (const auto read = read_member(*name, in, body, out); !read) return read.error();
  }
  if (!in.at_end()) return malformed("more bytes than one message");
  return out;
}

axl::Result<void> send(axl::Session& session, const Fields& fields, const Tensor& tensor) {
  const auto head = head_of(fields, tensor);
  const auto size = std::uint64_t{head.size()} + tensor.data.size();
  if (size > kMaxMessage) return axl::Error{axl::Errc::too_large, "a tensor for one message"};
  axl::Bytes first;
  first.reserve(4 + head.size());
  for (const unsigned shift : {24U, 16U, 8U, 0U}) first.push_back(static_cast<std::byte>(size >> shift & 0xFFU));
  first.insert(first.end(), head.begin(), head.end());
  if (auto sent = session.write(std::move(first)); !sent) return sent;
  return session.write(tensor.data);
}

axl::Result<void> send(axl::Session& session, const Fields& fields) {
  Writer out;
  out.map(fields.size());
  for (const auto& [name, value] : fields) put(out, name, value);
  return session.send_message(std::move(out).take());
}

}  // namespace tensor_link
