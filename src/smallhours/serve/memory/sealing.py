"""AES-256-GCM: what is sealed can be opened only with its key and in its own place.

A place (``message``, conversation, number …) is authenticated with the text, so that a row copied to another
conversation, or a reply put where a message was, does not open.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smallhours.domain.errors import StoreError

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


def new_key() -> bytes:
    """A random key."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def seal(key: bytes, data: bytes, *place: object) -> bytes:
    """``data``, encrypted and bound to ``place``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, data, _bound(place))


def unseal(key: bytes, sealed: bytes, *place: object) -> bytes:
    """What was sealed.

    Raises:
        StoreError: another key, another place, or changed bytes.
    """
    try:
        if sealed[:1] != _VERSION:
            raise InvalidTag
        start = 1 + _NONCE_BYTES
        return AESGCM(key).decrypt(sealed[1:start], sealed[start:], _bound(place))
    except (InvalidTag, ValueError):
        raise StoreError(f"the stored {place[0]} cannot be opened: damaged, or not its key") from None


def _bound(place: tuple[object, ...]) -> bytes:
    """The place as bytes; each part with its length, so that no two places look alike."""
    parts = [str(part).encode() for part in place]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
