"""Messages of the tensor exchange: one msgpack map each, whose last bytes are those of the tensor.

A map has its members in the order in which they are written. Ours has ``tensor`` as its last member, and that has
``tensor_data`` as its own last one: what stands before is a short head, and the array's own memory is the rest. So an
array is sent without being copied (the head, then the array), and read without being copied (a view of what came). A ``pad``
before it moves the array to a multiple of 64 bytes. For any msgpack library the whole is an ordinary map, and maps in another
order, as other programs write them, are understood too, with a copy.
"""

import math
import struct

import msgpack
import numpy

ENCODING = "raw-le"
ALIGNMENT = 64
MAX_HEAD = 4096
MAX_DIMENSIONS = 8
DTYPES = {name: numpy.dtype(name).newbyteorder("<")
          for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")}


class MessageError(ValueError):
    """What came is no message of this protocol."""


class Message:
    """``fields`` are the members beside ``tensor``. Of a tensor that comes whole, ``array`` is a view of what came; of one
    that comes in pieces, ``piece`` are the bytes of one. ``archive`` holds those of the older form, which only PyTorch
    reads."""

    def __init__(self, fields, dtype=None, shape=(), data=None, archive=None):
        self.fields, self.dtype, self.shape, self.piece, self.archive = fields, dtype, shape, data, archive
        self.type = fields.get("type")

    @property
    def array(self):
        """Not to be asked for a piece: raises MessageError unless all bytes are there."""
        if self.piece is None:
            raise MessageError("a message without a tensor")
        if len(self.piece) != tensor_size(self.dtype, self.shape):
            raise MessageError(f"{len(self.piece)} bytes for a tensor {self.dtype} {self.shape}")
        return numpy.frombuffer(self.piece, self.dtype).reshape(self.shape)

    def number(self, name, default=None, least=0, most=2**63):
        """A member that has to be an integer in these bounds."""
        value = self.fields.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise MessageError(f"{name!r} is {value!r:.50}")
        return value


def tensor_size(dtype, shape):
    return math.prod(shape) * dtype.itemsize


def raw(array):
    """The array's memory as bytes, in little-endian order; copied only where it does not lie so already."""
    array = numpy.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return memoryview(array.reshape(-1).view(numpy.uint8))


def pack(fields):
    """A message without a tensor."""
    return msgpack.packb(fields)


def head(fields, dtype, shape, size):
    """All of a message with a tensor but the ``size`` bytes that follow."""
    packer = msgpack.Packer()
    tensor = [packer.pack("tensor"), packer.pack_map_header(4)]
    for name, value in (("encoding", ENCODING), ("dtype", numpy.dtype(dtype).name), ("shape", list(shape))):
        tensor += [packer.pack(name), packer.pack(value)]
    tensor += [packer.pack("tensor_data"), struct.pack(">BI", 0xC6, size)]
    first = [packer.pack_map_header(len(fields) + 2)]
    for name, value in fields.items():
        first += [packer.pack(name), packer.pack(value)]
    first += [packer.pack("pad"), b"\xc4"]
    before, after = b"".join(first), b"".join(tensor)
    pad = -(len(before) + 1 + len(after)) % ALIGNMENT
    return before + bytes([pad]) + bytes(pad) + after


def unpack(body):
    """The Message in these bytes, without copying a tensor that comes last. MessageError for anything else."""
    view = memoryview(body).cast("B")
    try:
        return _unpack_in_place(view) or _unpack_any(view)
    except MessageError:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise MessageError(f"no message: {error}") from None


def _unpack_in_place(view):
    """None: the map is in another order, or its head is long."""
    reader = msgpack.Unpacker(max_buffer_size=MAX_HEAD)
    reader.feed(view[:MAX_HEAD])
    try:
        fields = {}
        for left in reversed(range(reader.read_map_header())):
            name = reader.unpack()
            if name == "tensor":
                return None if left else _unpack_tensor(fields, reader, view)
            if not isinstance(name, str) or name in fields:
                raise MessageError("a member's name that is no text, or there twice")
            fields[name] = reader.unpack()
    except msgpack.OutOfData:
        return None
    if reader.tell() != len(view):
        raise MessageError("more bytes than one message")
    fields.pop("pad", None)
    return Message(fields)


def _unpack_tensor(fields, reader, view):
    tensor = {}
    for left in reversed(range(reader.read_map_header())):
        name = reader.unpack()
        if name == "tensor_data":
            if left:
                return None
            data = _binary(view, reader.tell())
            return _message(fields, tensor, data)
        if not isinstance(name, str) or name in tensor:
            raise MessageError("a member's name that is no text, or there twice")
        tensor[name] = reader.unpack()
    raise MessageError("a tensor without bytes")


def _binary(view, at):
    """The last value: binary, and exactly the rest."""
    width = {0xC4: 1, 0xC5: 2, 0xC6: 4}.get(view[at] if at < len(view) else None)
    if width is None:
        raise MessageError("'tensor_data' is not binary")
    begin = at + 1 + width
    if begin > len(view) or int.from_bytes(view[at + 1:begin], "big") != len(view) - begin:
        raise MessageError("'tensor_data' is not the rest of the message")
    return view[begin:]


def _unpack_any(view):
    fields = msgpack.unpackb(view)
    if not isinstance(fields, dict):
        raise MessageError("not a map")
    tensor = fields.pop("tensor", None)
    if tensor is None:
        return Message(fields)
    if not isinstance(tensor, dict) or not isinstance(tensor.get("tensor_data"), bytes):
        raise MessageError("a tensor without bytes")
    return _message(fields, tensor, memoryview(tensor["tensor_data"]))


def _message(fields, tensor, data):
    fields.pop("pad", None)
    encoding, name, shape = tensor.get("encoding"), tensor.get("dtype"), tensor.get("shape")
    if (not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS
            or not all(type(one) is int and 0 <= one < 2**48 for one in shape)):
        raise MessageError("a shape is a few whole numbers")
    if encoding is None and isinstance(name, str) and name.startswith("torch."):
        return Message(fields, shape=tuple(shape), archive=data)
    if encoding != ENCODING:
        raise MessageError(f"encoding {encoding!r:.50}")
    if name not in DTYPES:
        raise MessageError(f"dtype {name!r:.50}")
    return Message(fields, DTYPES[name], tuple(shape), data)
