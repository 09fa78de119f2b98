// The message of aggregations as peers of the older kind know them: a MessagePack map, sent as a message to the parent.
//
//   {"type": "convergecast_data", "session_id": text, "from": hex key, "data": {text: number, ...}}
//
// Members may come in any order, and unknown ones are stepped over. `from` has to be the key that sent it: a codec
// cannot know that, OldRuns does.
#pragma once

#include <string>
#include <vector>

#include "convergecast/codec.hpp"

namespace axl::convergecast {

struct OldPart {
  std::string session;                                ///< a name, as questions have
  PublicKey from;
  std::vector<std::pair<std::string, Number>> data;  ///< at most kMaxAggregationGroups, by ascending name, each once
};

/// malformed: anything else, values that are no numbers, and a body of more than kMaxBody.
[[nodiscard]] Result<OldPart> read_old_part(ByteSpan body);
[[nodiscard]] Bytes encode(const OldPart& part);

}  // namespace axl::convergecast
