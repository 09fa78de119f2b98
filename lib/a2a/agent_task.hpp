// A task of the built-in agent, as it is kept and as both protocol versions write it.
//
// Source: bridge, section 6; A2A 1.0 and 0.3, data model.
#pragma once

#include <axl/key.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl::a2a {

enum class Dialect : std::uint8_t { v0_3, v1_0 };

enum class TaskState : std::uint8_t { submitted, working, completed, failed, canceled };

[[nodiscard]] constexpr bool is_final(TaskState state) noexcept { return state >= TaskState::completed; }

/// Milliseconds since 1970, UTC.
enum class WallTime : std::int64_t {};

struct Part {
  enum class Kind : std::uint8_t { text, data };
  Kind kind = Kind::text;
  std::string content;  ///< the text; or JSON, as written
};

struct Message {
  std::string id;
  bool from_agent = false;
  std::vector<Part> parts;
  std::string context_id = {};  ///< as the sender names it; empty: none
  std::string task_id = {};     ///< the same
  std::string metadata = {};    ///< a JSON object, as written; empty: none
};

struct Task {
  std::string id;
  std::string context_id;
  PublicKey owner;  ///< nobody else sees it
  TaskState state = TaskState::submitted;
  std::string status_text = {};  ///< what the agent says of the state; empty: nothing
  WallTime updated{};
  std::uint64_t version = 0;  ///< grows with every change of any task: the order of lists
  std::vector<Message> history = {};
  std::string answer = {};  ///< of the MCP service, JSON: the artifact; empty: none yet
};

/// Which part of a task is shown.
struct TaskView {
  std::optional<std::uint64_t> history = {};  ///< so many of the last messages; empty: all
  bool artifacts = true;
};

[[nodiscard]] std::string encode_task(const Task& task, Dialect dialect, const TaskView& view = {});
/// The result of a call that sends a message: version 1.0 names the kind of what comes.
[[nodiscard]] std::string encode_sent(const Task& task, Dialect dialect, const TaskView& view = {});

// Events of a stream.
[[nodiscard]] std::string encode_task_event(const Task& task, Dialect dialect);
[[nodiscard]] std::string encode_status_event(const Task& task, Dialect dialect);
[[nodiscard]] std::string encode_artifact_event(const Task& task, Dialect dialect);

/// 2026-11-24T23:00:00.123Z
[[nodiscard]] std::string encode_time(WallTime time);
/// RFC 3339.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

/// As the dialect writes it, `TASK_STATE_WORKING` or `working`.
[[nodiscard]] std::string_view name_of(TaskState state, Dialect dialect) noexcept;
[[nodiscard]] std::optional<TaskState> state_named(std::string_view name) noexcept;

}  // namespace axl::a2a
