#include "wire/frames.hpp"
#include "wire/writer.hpp"

namespace axl::wire {

Result<TrafficView> TrafficView::decode(ByteSpan body) {
  Reader reader{body};
  TrafficView traffic;
  traffic.path = reader.path();
  traffic.from = reader.path();
  traffic.source = reader.key();
  traffic.dest = reader.key();
  traffic.watermark = reader.uvarint();
  if (!reader.ok()) return malformed("Traffic");
  traffic.payload = reader.rest();
  return traffic;
}

void TrafficHeader::prepend_to(Buffer& packet) const {
  const auto size = 1 + path_size(path) + path_size(from) + 2 * kKeySize + uvarint_size(watermark);
  Writer{packet.prepend(size)}.type(FrameType::traffic).path(path).path(from).key(source).key(dest).uvarint(watermark);
}

}  // namespace axl::wire
