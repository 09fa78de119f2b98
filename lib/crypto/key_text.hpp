// The texts of keys and addresses, for those who write the same ones again and again: of peers that send many messages.
#pragma once

#include <axl/key.hpp>
#include <string>

namespace axl {

/// The text that was made last, and of what. A reference stays good until the next call.
template <class Of, std::string (Of::*text)() const>
class LastText {
 public:
  [[nodiscard]] const std::string& of(const Of& what) {
    if (text_.empty() || last_ != what) {
      last_ = what;
      text_ = (what.*text)();
    }
    return text_;
  }

 private:
  Of last_;
  std::string text_;
};

using AddressText = LastText<Address, &Address::to_string>;
using KeyText = LastText<PublicKey, &PublicKey::to_hex>;

}  // namespace axl
