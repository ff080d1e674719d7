"""Master keys: they wrap the key of each conversation and encrypt nothing else.

They come as lines ``name:base64`` from a file or a variable, the current one first, or from a hook: any
``module:function`` that returns an object with :class:`Masters`' members, for a key management service.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Protocol

from smallhours.domain.errors import SettingsError, StoreError
from smallhours.serve.memory.sealing import KEY_BYTES, new_key, seal, unseal


class Masters(Protocol):
    """Wraps keys; ``bound`` is authenticated with them."""

    @property
    def current(self) -> str:
        """The name of the master key that wraps from now on."""
        ...

    def wrap(self, key: bytes, bound: str) -> tuple[str, bytes]:
        """The name of the master key used, and the wrapped key."""
        ...

    def unwrap(self, master: str, wrapped: bytes, bound: str) -> bytes:
        """The key. Raises StoreError if it cannot be had."""
        ...


class LocalMasters:
    """Master keys as lines of text from ``source``; a file is read again when it changed."""

    def __init__(self, source: Path | str, where: str) -> None:
        self._source = source
        self._where = where
        self._read_at: tuple[int, int] | None = None
        self._keys: dict[str, bytes] = {}
        self._refresh()

    def _refresh(self) -> None:
        if isinstance(self._source, str):
            self._keys = self._keys or parse(self._source, self._where)
            return
        try:
            stat = self._source.stat()
            if (stamp := (stat.st_mtime_ns, stat.st_ino)) != self._read_at:
                self._keys = parse(self._source.read_text("ascii"), self._where)
                self._read_at = stamp
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._where}: the master keys cannot be read ({error})") from None

    @property
    def current(self) -> str:
        """The name of the key that wraps from now on."""
        self._refresh()
        return next(iter(self._keys))

    def wrap(self, key: bytes, bound: str) -> tuple[str, bytes]:
        """Wrap with the current master key."""
        name = self.current
        return name, seal(self._keys[name], key, "key", bound, name)

    def unwrap(self, master: str, wrapped: bytes, bound: str) -> bytes:
        """Unwrap with whichever master key was used."""
        self._refresh()
        if master not in self._keys:
            raise StoreError(f"{self._where}: no master key '{master}'; put its line back")
        return unseal(self._keys[master], wrapped, "key", bound, master)


def parse(text: str, where: str) -> dict[str, bytes]:
    """The keys by name, in order.

    Raises:
        SettingsError: a line is no ``name:base64`` of 32 bytes, or there is none.
    """
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        name, _, encoded = line.strip().partition(":")
        with suppress(binascii.Error, ValueError):
            key = base64.b64decode(encoded, validate=True)
            if name and len(key) == KEY_BYTES:
                found[name] = key
                continue
        raise SettingsError(f"{where} line {number}: not NAME:BASE64 of {KEY_BYTES} bytes")
    if not found:
        raise SettingsError(f"{where}: no master key; 'smallhours memory rotate' makes one")
    return found


def add_master(path: Path) -> str:
    """Put a new key first in a file, which is made if it is not there; its name.

    Raises:
        StoreError: the file cannot be written.
    """
    name = f"k{secrets.token_hex(4)}"
    line = f"{name}:{base64.b64encode(new_key()).decode()}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rest = path.read_text("ascii") if path.exists() else ""
        write_masters(path, line + rest)
    except OSError as error:
        raise StoreError(f"{path}: cannot write the master keys ({error.strerror})") from None
    return name


def keep_masters(path: Path, used: set[str]) -> list[str]:
    """Take keys out of a file that are neither current nor ``used``; their names."""
    lines = [line for line in path.read_text("ascii").split("\n") if line.strip()]
    kept = [line for n, line in enumerate(lines) if n == 0 or line.partition(":")[0] in used]
    write_masters(path, "\n".join(kept) + "\n")
    return [line.partition(":")[0] for line in lines if line not in kept]


def write_masters(path: Path, text: str) -> None:
    """Replace the file at once, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def open_masters(where: str, default: Path, environment: Mapping[str, str]) -> Masters:
    """The master keys that ``memory.master`` names; the ``default`` file is made when it is needed.

    Raises:
        SettingsError: the variable, file or hook is not there or not usable.
    """
    kind, _, name = where.partition(":")
    if kind == "env":
        if name not in environment:
            raise SettingsError(f"memory.master: the variable {name} is not set")
        return LocalMasters(environment[name], name)
    if kind == "hook":
        return _hook(name)
    path = Path(name) if kind == "file" else default
    if kind != "file" and not path.exists():
        add_master(path)
    if not path.exists():
        raise SettingsError(f"memory.master: {path} is not there; 'smallhours memory rotate' makes it")
    return LocalMasters(path, str(path))


def _hook(name: str) -> Masters:
    module, _, function = name.partition(":")
    try:
        masters: Masters = getattr(import_module(module), function)()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"memory.master = hook:{name}: {error}") from None
    return masters
