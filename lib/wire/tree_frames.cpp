// SigReq, SigRes, Announce: the messages of the spanning tree.
#include "wire/frames.hpp"
#include "wire/writer.hpp"

namespace axl::wire {

Result<SigReq> SigReq::decode(ByteSpan body) {
  Reader reader{body};
  SigReq request;
  request.seq = reader.uvarint();
  request.nonce = reader.uvarint();
  if (!reader.ok() || !reader.at_end()) return malformed("SigReq");
  return request;
}

Buffer SigReq::encode() const {
  Buffer out{1 + uvarint_size(seq) + uvarint_size(nonce), Buffer::kHeadroom};
  Writer{out.mutable_span()}.type(FrameType::sig_req).uvarint(seq).uvarint(nonce);
  return out;
}

Result<SigRes> SigRes::decode(ByteSpan body) {
  Reader reader{body};
  SigRes response;
  response.seq = reader.uvarint();
  response.nonce = reader.uvarint();
  response.port = reader.uvarint();
  response.psig = reader.signature();
  if (!reader.ok() || !reader.at_end()) return malformed("SigRes");
  return response;
}

Buffer SigRes::encode() const {
  Buffer out{1 + uvarint_size(seq) + uvarint_size(nonce) + uvarint_size(port) + kSignatureSize, Buffer::kHeadroom};
  Writer{out.mutable_span()}.type(FrameType::sig_res).uvarint(seq).uvarint(nonce).uvarint(port).signature(psig);
  return out;
}

Bytes signed_bytes(const PublicKey& node, const PublicKey& parent, std::uint64_t seq, std::uint64_t nonce,
                   std::uint64_t port) {
  Bytes out(2 * kKeySize + uvarint_size(seq) + uvarint_size(nonce) + uvarint_size(port));
  Writer{out}.key(node).key(parent).uvarint(seq).uvarint(nonce).uvarint(port);
  return out;
}

Result<Announce> Announce::decode(ByteSpan body) {
  Reader reader{body};
  Announce announce;
  announce.key = reader.key();
  announce.parent = reader.key();
  announce.seq = reader.uvarint();
  announce.nonce = reader.uvarint();
  announce.port = reader.uvarint();
  announce.psig = reader.signature();
  announce.sig = reader.signature();
  if (!reader.ok() || !reader.at_end()) return malformed("Announce");
  return announce;
}

Buffer Announce::encode() const {
  Buffer out{1 + 2 * kKeySize + uvarint_size(seq) + uvarint_size(nonce) + uvarint_size(port) + 2 * kSignatureSize,
             Buffer::kHeadroom};
  Writer{out.mutable_span()}
      .type(FrameType::announce)
      .key(key)
      .key(parent)
      .uvarint(seq)
      .uvarint(nonce)
      .uvarint(port)
      .signature(psig)
      .signature(sig);
  return out;
}

bool Announce::valid(const crypto::Verifier& verify) const {
  if (port == 0 && key != parent) return false;
  const auto covered = wire::signed_bytes(key, parent, seq, nonce, port);
  if (!verify(key, covered, sig)) return false;
  // A root's two signatures are usually one and the same.
  if (key == parent && psig == sig) return true;
  return verify(parent, covered, psig);
}

}  // namespace axl::wire
