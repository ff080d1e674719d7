"""The helpline tables by country (``data/helplines/``), read once when first needed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import ValidationError

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Frozen
from smallhours.domain.risk import Resource

ANYWHERE = "ZZ"  # the entry for every country without one


class Country(Frozen):
    """A country's emergency number and its services, the first crisis line first."""

    name: str
    emergency: str
    languages: tuple[str, ...] = ()
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Every number (digits only) and every web host that the tables name."""

    numbers: frozenset[str]
    hosts: frozenset[str]

    def has_url(self, url: str) -> bool:
        """Whether an address, with or without scheme and path, leads to a listed host."""
        return _host(url) in self.hosts


def _host(url: str) -> str:
    host = url.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].lower().rstrip(".,;:!")
    return host.removeprefix("www.")


def installed() -> dict[str, str]:
    """The texts of the installed files by name."""
    folder = files("smallhours.safety") / "data/helplines"
    return {one.name: one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".toml")}


def parsed(
    texts: Mapping[str, str],
) -> Iterator[tuple[str, str, Country | ValidationError | tomllib.TOMLDecodeError]]:
    """File, code and country of every entry, or what is wrong with it; of a whole file, without a code."""
    for name, text in sorted(texts.items()):
        try:
            entries = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            yield name, "", error
            continue
        for code, entry in entries.items():
            try:
                yield name, code, Country.model_validate(entry)
            except ValidationError as error:
                yield name, code, error


@cache
def tables() -> Mapping[str, Country]:
    """All countries by code. Raises ``DataError`` that names every malformed or repeated entry."""
    return read_tables(installed())


def read_tables(texts: Mapping[str, str]) -> Mapping[str, Country]:
    """Countries by code out of TOML texts by file name. Raises as :func:`tables` does."""
    found: dict[str, Country] = {}
    problems: list[str] = []
    for name, code, entry in parsed(texts):
        if code in found:
            problems.append(f"{name} [{code}]: another file has this country already; keep one")
        if isinstance(entry, Country):
            found[code] = entry
        else:
            problems.append(f"{name} [{code}]: {entry}" if code else f"{name}: not TOML: {entry}")
    if ANYWHERE not in found:
        problems.append(f"helplines: no [{ANYWHERE}], the entry for every other country")
    if problems:
        raise DataError(problems)
    return found


@cache
def contacts() -> Contacts:
    """What our replies may name."""
    numbers = {"911", "112", "999"}
    hosts: set[str] = set()
    for country in tables().values():
        numbers.add("".join(c for c in country.emergency if c.isdigit()))
        for resource in country.resources:
            for dialled in (resource.tel, resource.sms):
                numbers.add("".join(c for c in dialled or "" if c.isdigit()))
            hosts |= {_host(url) for url in (resource.url, resource.chat_url) if url}
    return Contacts(frozenset(numbers - {""}), frozenset(hosts))
