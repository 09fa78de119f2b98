#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <limits>

#include "net/openssl_handles.hpp"
#include "net/tls.hpp"
#include "net/tls_keys.hpp"

namespace axl::net {

namespace {

constexpr long kVersion3 = 2;

bool add_extension(X509* certificate, int kind, const char* value) {
  const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension{
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value)};
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Subject and issuer alike: one CN, the lower-case hex of the key, as a PrintableString.
bool set_names(X509* certificate, const PublicKey& key) {
  const auto name_text = key.to_hex();
  const std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>> name{X509_NAME_new()};
  return name &&
         X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_PRINTABLESTRING,
                                    reinterpret_cast<const unsigned char*>(name_text.data()),
                                    static_cast<int>(name_text.size()), -1, 0) == 1 &&
         X509_set_subject_name(certificate, name.get()) == 1 && X509_set_issuer_name(certificate, name.get()) == 1;
}

bool set_validity(X509* certificate, std::time_t not_before) {
  // RFC 5280: this value says that the certificate has no end.
  return ASN1_TIME_set(X509_getm_notBefore(certificate), not_before) != nullptr &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z") == 1;
}

}  // namespace

KeyHandle make_openssl_key(const PrivateKey& key) {
  return KeyHandle{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_uchar(key.secret_bytes().data()),
                                                PrivateKey::kSeedSize)};
}

CertificateHandle make_openssl_certificate(const PrivateKey& key, EVP_PKEY* signer,
                                           std::chrono::system_clock::time_point not_before) {
  CertificateHandle certificate{X509_new()};
  if (!certificate) return nullptr;
  auto* const target = certificate.get();
  const auto made =
      X509_set_version(target, kVersion3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(target), 1) == 1 &&
      set_names(target, key.public_key()) && set_validity(target, std::chrono::system_clock::to_time_t(not_before)) &&
      X509_set_pubkey(target, signer) == 1 &&
      add_extension(target, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
      add_extension(target, NID_ext_key_usage, "serverAuth") &&
      add_extension(target, NID_basic_constraints, "critical,CA:FALSE") && X509_sign(target, signer, nullptr) > 0;
  if (!made) return nullptr;
  return certificate;
}

std::optional<PublicKey> key_of_direct_node(const X509* certificate) {
  const auto* const public_key = X509_get0_pubkey(certificate);
  if (public_key == nullptr || EVP_PKEY_get_id(public_key) != EVP_PKEY_ED25519) return std::nullopt;
  std::array<std::byte, PublicKey::kSize> raw{};
  auto size = raw.size();
  if (EVP_PKEY_get_raw_public_key(public_key, as_uchar(raw.data()), &size) != 1 || size != raw.size()) {
    return std::nullopt;
  }
  const PublicKey key{raw};
  const auto* const subject = X509_get_subject_name(certificate);
  const auto at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return std::nullopt;
  const auto* const name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  const std::string_view text{reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)),
                              static_cast<std::size_t>(ASN1_STRING_length(name))};
  if (text != key.to_hex()) return std::nullopt;
  return key;
}

Result<Bytes> make_certificate(const PrivateKey& key, std::chrono::system_clock::time_point not_before) {
  const ErrorQueueGuard guard;
  const auto signer = make_openssl_key(key);
  const auto certificate = signer ? make_openssl_certificate(key, signer.get(), not_before) : nullptr;
  if (!certificate) return Error{Errc::crypto, "make certificate: " + ErrorQueueGuard::reason()};
  const auto size = i2d_X509(certificate.get(), nullptr);
  if (size <= 0) return Error{Errc::crypto, "encode certificate: " + ErrorQueueGuard::reason()};
  Bytes der(static_cast<std::size_t>(size));
  auto* out = as_uchar(der.data());
  i2d_X509(certificate.get(), &out);
  return der;
}

}  // namespace axl::net
