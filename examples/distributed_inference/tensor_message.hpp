// Messages of the tensor exchange: one msgpack map each, whose last bytes are those of the tensor (README.md).
//
// A tensor is sent without being copied, as a short head and then the bytes from where they lie; and one that has
// arrived is a view of what came.
#pragma once

#include <axl/message.hpp>
#include <axl/result.hpp>
#include <axl/session.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tensor_link {

struct Tensor {
  std::string dtype;  ///< "float32" and so on
  std::vector<std::uint64_t> shape;
  axl::MessageBody data;  ///< little-endian, in C order; shares what it arrived in
};

struct TensorMessage {
  std::string type;
  std::string test_name;
  std::uint64_t seed = 0;
  std::uint64_t rounds = 1;
  bool verified = false;
  std::uint64_t in_full = 0;
  std::optional<Tensor> tensor;
};

using Value = std::variant<std::string, std::uint64_t, double, bool>;
using Fields = std::vector<std::pair<std::string, Value>>;

/// Reads what one message of a session holds. Malformed for what is no such map, or has a tensor whose bytes are not as
/// many as its shape and dtype say.
[[nodiscard]] axl::Result<TensorMessage> parse(const axl::MessageBody& body);

/// Queues a message; the tensor's bytes are shared until they have left.
axl::Result<void> send(axl::Session& session, const Fields& fields, const Tensor& tensor);
axl::Result<void> send(axl::Session& session, const Fields& fields);

}  // namespace tensor_link
