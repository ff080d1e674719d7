"""The helpline tables by country (``data/helplines.toml``), read once when first needed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
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


@cache
def tables() -> Mapping[str, Country]:
    """All countries by code. Raises ``DataError`` when an entry is malformed."""
    raw = tomllib.loads((files("smallhours.safety") / "data/helplines.toml").read_text("utf-8"))
    found: dict[str, Country] = {}
    problems: list[str] = []
    for code, entry in raw.items():
        try:
            found[code] = Country.model_validate(entry)
        except ValidationError as error:
            problems.append(f"helplines.toml [{code}]: {error}")
    if ANYWHERE not in found:
        problems.append(f"helplines.toml: no [{ANYWHERE}], the entry for every other country")
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
            if resource.url:
                hosts.add(_host(resource.url))
    return Contacts(frozenset(numbers - {""}), frozenset(hosts))
