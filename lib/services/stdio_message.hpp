// What a tunnel to a process must know of the JSON-RPC messages that pass: whose they are, and where their ids stand.
//
// Views are into the text that was read. Pure.
#pragma once

#include <axl/mcp.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace axl::services {

struct StdioMessage {
  std::string_view text;  ///< the whole message, without spaces around it
  mcp::JsonRpc::Kind kind = mcp::JsonRpc::Kind::other;
  std::string method;
  std::string_view id;            ///< as written; empty for notifications
  std::string_view token;         ///< of a request that wants progress, or of progress itself; empty: none
  std::string_view subject;       ///< notifications/cancelled: the request that is meant
  std::string_view subscription;  ///< the subscriptions/listen request that this notification answers
  std::optional<int> error;       ///< of a response: its error's code
};

/// One message, or the elements of a batch, at most 1024. Empty: no JSON, too many, or something that JSON-RPC does not
/// know.
[[nodiscard]] std::vector<StdioMessage> read_messages(std::string_view text);

/// `result.protocolVersion` of an answer to `initialize`.
[[nodiscard]] std::string protocol_version_of(const StdioMessage& response);

/// Equal for ids that are the same value: `"a"` however written, but never `1` and `"1"`.
[[nodiscard]] std::string id_key(std::string_view id);

/// The message with other values in place of some of its parts (views into it), as one line.
[[nodiscard]] std::string with_parts(const StdioMessage& message,
                                     std::vector<std::pair<std::string_view, std::string>> parts);

/// Line breaks in valid JSON stand between tokens only: as spaces they mean the same, and the message is one line.
template <class Characters>
void join_lines(Characters& text) {
  for (auto& c : text) {
    using Character = std::remove_reference_t<decltype(c)>;
    if (c == Character{'\n'} || c == Character{'\r'}) c = Character{' '};
  }
}

}  // namespace axl::services
