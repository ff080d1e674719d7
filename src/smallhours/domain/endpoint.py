"""An OpenAI-compatible endpoint as the settings name it. Its key is in a variable and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from smallhours.domain.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, and which. ``key_variable`` is the *name* of the variable that holds the key.

    ``settings`` is what the three settings begin with, for messages; ``--`` where they are flags.

    Raises:
        SettingsError: with every problem; what was given is not repeated, for it may hold a key.
    """

    url: str
    model: str
    key_variable: str | None = None
    settings: str = "corpus.rewording_"

    def __post_init__(self) -> None:
        problems = []
        if not _is_plain(self.url):
            problems.append(
                f"{self.settings}url: write it like http://127.0.0.1:11434/v1, with http or https, and "
                "without user, password, query or fragment"
            )
        if not self.model.strip():
            problems.append(f"{self.settings}model: name a model that the endpoint serves")
        if problems:
            raise SettingsError(problems)

    @property
    def host(self) -> str:
        """The name of the machine: the only part of the URL that goes into records."""
        return urlsplit(self.url).hostname or ""

    @property
    def place(self) -> str:
        """Host and port: what tells several endpoints apart."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """What messages and records call it."""
        return f"{self.model} at {self.host}"

    @property
    def _key_setting(self) -> str:
        return "--key-variable" if self.settings == "--" else f"{self.settings}key_variable"

    def key(self, environment: Mapping[str, str]) -> str | None:
        """The key, or None where the endpoint needs none.

        Raises:
            SettingsError: if the variable is not set, or holds what no key can be.
        """
        if self.key_variable is None:
            return None
        found = environment.get(self.key_variable, "").strip()
        if not found:
            raise SettingsError(
                f"{self._key_setting}: the variable it names is not set; {self.name} needs its key "
                "in a variable, and here the variable's name, not the key itself"
            )
        if not (found.isascii() and found.isprintable()):
            raise SettingsError(f"{self._key_setting}: the variable it names holds letters that no key has")
        return found


def _is_plain(url: str) -> bool:
    try:
        parts: SplitResult = urlsplit(url)
        _ = parts.port  # raises ValueError for what is no number
    except ValueError:
        return False
    secret = "@" in parts.netloc or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not secret
