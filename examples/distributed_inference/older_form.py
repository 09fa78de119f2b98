"""Tensors in the form of the older programs: a PyTorch archive, which only PyTorch can read. Without it they are not answered.

Archives are read as data only (``weights_only``): a version that cannot do so is not used.
"""

import io

try:
    import torch
except ImportError:
    torch = None


def available():
    return torch is not None


def load(archive):
    """The tensor, or None when it cannot be read."""
    try:
        found = torch.load(io.BytesIO(archive), weights_only=True)
    except Exception:  # of many kinds: it is a stranger's file
        return None
    return found if isinstance(found, torch.Tensor) else None


def is_seeded(archive, shape, seed):
    """Whether it is the tensor that PyTorch makes of this shape and seed, normal or uniform."""
    got = load(archive)
    if got is None:
        return False
    for make in (torch.randn, torch.rand):
        if torch.equal(got, make(tuple(shape), generator=torch.Generator().manual_seed(seed))):
            return True
    return False


def archive_of(shape, seed):
    """What an older program sends."""
    out = io.BytesIO()
    torch.save(torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed)), out)
    return out.getvalue()
