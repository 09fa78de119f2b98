"""Identities: made by openssl, and what the overlay derives from them."""

import ipaddress
import subprocess
import tempfile


class Key:
    """An Ed25519 key pair. Keys sort as the overlay sorts them: the lowest of a network is its root."""

    def __init__(self, pem: str):
        self.pem = pem
        self.seed = _openssl(pem, "pkey", "-outform", "DER")[-32:]
        self.public = _openssl(pem, "pkey", "-pubout", "-outform", "DER")[-32:]

    @property
    def hex(self) -> str:
        return self.public.hex()

    @property
    def private_hex(self) -> str:
        """The form of `PrivateKey` in config files: seed and public key."""
        return (self.seed + self.public).hex()

    @property
    def address(self) -> str:
        return address(self.public)

    def sign(self, data: bytes) -> bytes:
        # openssl wants files: it must know the size of what it signs.
        with tempfile.NamedTemporaryFile() as key, tempfile.NamedTemporaryFile() as message:
            key.write(self.pem.encode())
            message.write(data)
            key.flush()
            message.flush()
            return _openssl("", "pkeyutl", "-sign", "-rawin", "-inkey", key.name, "-in", message.name)

    def __lt__(self, other):
        return self.public < other.public


def make_key() -> Key:
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], check=True, capture_output=True, text=True)
    return Key(made.stdout)


def make_keys(count) -> list:
    """Lowest first."""
    return sorted(make_key() for _ in range(count))


def address(public: bytes) -> str:
    """200::/8 address of a key: count of leading zero bits, then the bits after the first one bit, inverted."""
    bits = f"{int.from_bytes(public, 'big'):0256b}"
    zeros = bits.index("1")
    rest = "".join("1" if bit == "0" else "0" for bit in bits[zeros + 1 :])[:112]
    return str(ipaddress.IPv6Address(bytes([2, zeros]) + int(rest, 2).to_bytes(14, "big")))


def partial_id(public: bytes) -> str:
    """What the reference shows as a peer id: the key as far as its address tells, then ones."""
    zeros = 256 - int.from_bytes(public, "big").bit_length()
    known = zeros + 1 + 112
    return f"{int.from_bytes(public, 'big') | ((1 << (256 - known)) - 1):064x}"


def _openssl(pem, *arguments):
    return subprocess.run(["openssl", *arguments], input=pem.encode(), check=True, capture_output=True).stdout
