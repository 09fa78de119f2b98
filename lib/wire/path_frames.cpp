// PathLookup, PathNotify, PathBroken: the messages that find paths.
#include "wire/frames.hpp"
#include "wire/writer.hpp"

namespace axl::wire {

Result<PathLookup> PathLookup::decode(ByteSpan body) {
  Reader reader{body};
  PathLookup lookup;
  lookup.source = reader.key();
  lookup.dest = reader.key();
  lookup.from = reader.path();
  if (!reader.ok() || !reader.at_end()) return malformed("PathLookup");
  return lookup;
}

Buffer PathLookup::encode() const {
  Buffer out{1 + 2 * kKeySize + path_size(from), Buffer::kHeadroom};
  Writer{out.mutable_span()}.type(FrameType::path_lookup).key(source).key(dest).path(from);
  return out;
}

Result<PathNotify> PathNotify::decode(ByteSpan body) {
  Reader reader{body};
  PathNotify notify;
  notify.path = reader.path();
  notify.watermark = reader.uvarint();
  notify.source = reader.key();
  notify.dest = reader.key();
  notify.info.seq = reader.uvarint();
  notify.info.path = reader.path();
  notify.info.sig = reader.signature();
  if (!reader.ok() || !reader.at_end()) return malformed("PathNotify");
  return notify;
}

Buffer PathNotify::encode() const {
  Buffer out{1 + path_size(path) + uvarint_size(watermark) + 2 * kKeySize + uvarint_size(info.seq) +
                 path_size(info.path) + kSignatureSize,
             Buffer::kHeadroom};
  Writer{out.mutable_span()}
      .type(FrameType::path_notify)
      .path(path)
      .uvarint(watermark)
      .key(source)
      .key(dest)
      .uvarint(info.seq)
      .path(info.path)
      .signature(info.sig);
  return out;
}

Bytes PathNotify::signed_bytes(std::uint64_t seq, const Path& path) {
  Bytes out(uvarint_size(seq) + path_size(path));
  Writer{out}.uvarint(seq).path(path);
  return out;
}

Result<PathBroken> PathBroken::decode(ByteSpan body) {
  Reader reader{body};
  PathBroken broken;
  broken.path = reader.path();
  broken.watermark = reader.uvarint();
  broken.source = reader.key();
  broken.dest = reader.key();
  if (!reader.ok() || !reader.at_end()) return malformed("PathBroken");
  return broken;
}

Buffer PathBroken::encode() const {
  Buffer out{1 + path_size(path) + uvarint_size(watermark) + 2 * kKeySize, Buffer::kHeadroom};
  Writer{out.mutable_span()}.type(FrameType::path_broken).path(path).uvarint(watermark).key(source).key(dest);
  return out;
}

}  // namespace axl::wire
