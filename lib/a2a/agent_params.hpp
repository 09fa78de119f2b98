// The parameters of the built-in agent's calls, in both versions of A2A.
//
// Source: A2A 1.0, section 3.1 and its data model; A2A 0.3, section 7.
#pragma once

#include <axl/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "a2a/agent_rpc.hpp"
#include "a2a/agent_task.hpp"
#include "a2a/task_store.hpp"

namespace axl::a2a {

struct SendParams {
  Message message;
  TaskView view = {};
  bool wait = true;  ///< for the end of the task
};

struct TaskParams {
  std::string id;
  TaskView view = {};
};

struct ListParams {
  ListFilter filter;
  TaskView view = {};
};

/// Refused: content that is neither text nor data, a configuration for push notifications, what is no message.
[[nodiscard]] std::variant<SendParams, RpcError> read_send_params(std::string_view params, Dialect dialect);
[[nodiscard]] std::variant<TaskParams, RpcError> read_task_params(std::string_view params);
/// Only version 1.0 has lists.
[[nodiscard]] std::variant<ListParams, RpcError> read_list_params(std::string_view params);

[[nodiscard]] std::string encode_list(const TaskPage& page, const ListParams& params);

}  // namespace axl::a2a
