#include "lent_buffer.hpp"

#include <utility>

namespace axl::python {

namespace {

constexpr std::size_t kCopyAtMost = 4'096;  // giving so little back would cost more than the copy

class LentBuffer {
 public:
  LentBuffer(const Py_buffer& view, std::shared_ptr<Channel> channel) : view_{view}, channel_{std::move(channel)} {}
  LentBuffer(const LentBuffer&) = delete;
  LentBuffer& operator=(const LentBuffer&) = delete;
  ~LentBuffer() { channel_->give_back(view_); }

 private:
  Py_buffer view_;
  std::shared_ptr<Channel> channel_;
};

}  // namespace

MessageBody body_of(nb::handle object, const std::shared_ptr<Channel>& channel) {
  Py_buffer view;
  if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_SIMPLE) != 0) throw nb::python_error{};
  const ByteSpan bytes{static_cast<const std::byte*>(view.buf), static_cast<std::size_t>(view.len)};
  if (bytes.size() <= kCopyAtMost) {
    MessageBody copy{to_bytes(bytes)};
    PyBuffer_Release(&view);
    return copy;
  }
  return {std::make_shared<const LentBuffer>(view, channel), bytes};
}

}  // namespace axl::python
