"""The helplines as the page shows them: in the person's language, with the age of each number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from smallhours.domain.risk import Resource
from smallhours.safety.helplines import ANYWHERE, Country, tables
from smallhours.serve.gateway.interface import FALLBACK, Interface


def N_(text: str) -> str:  # noqa: N802  gettext's name for a text that is translated later
    """Marks a text for the catalogs."""
    return text


_KINDS = {
    "crisis": N_("when it is too much, or you think of suicide"),
    "domestic_violence": N_("violence at home or by a partner"),
    "child": N_("children and young people"),
    "substance": N_("alcohol or other drugs"),
    "eating_disorder": N_("eating disorders"),
    "lgbtq": N_("LGBTQ+ people"),
}
# Words of the tables that a kind alone would not say.
_TRANSLATED = (
    N_("immediate danger from another person"),
    N_("danger from another person, right now"),
    N_("finding a free helpline in your country"),
    N_("finding an emotional support centre near you"),
    N_("International"),
    N_("your local emergency number"),
)


def countries(words: Interface) -> list[dict[str, Any]]:
    """Every country's services, by name; the entry for all other countries last."""
    entries = [_entry(code, country, words) for code, country in tables().items()]
    return sorted(entries, key=lambda entry: (entry["code"] == ANYWHERE, entry["name"]))


def _entry(code: str, country: Country, words: Interface) -> dict[str, Any]:
    return {
        "code": code,
        "name": words.translate(country.name) if code == ANYWHERE else words.country(code, country.name),
        "emergency": words.translate(country.emergency),
        "resources": [_service(resource, words) for resource in country.resources],
    }


def _service(resource: Resource, words: Interface) -> dict[str, Any]:
    shown = resource.model_dump(
        include={"name", "kind", "tel", "sms", "sms_text", "url", "hours", "checked"}, exclude_defaults=True
    )
    chat = {"chat": resource.chat_url} if resource.chat else {}
    return {**shown, **chat, "for": _for(resource, words)}


def _for(resource: Resource, words: Interface) -> str:
    """Whom a service is for: the table's own words where the language has them, else its kind."""
    if words.code == FALLBACK or words.knows(resource.for_):
        return words.translate(resource.for_)
    return words.translate(_KINDS.get(resource.kind, _KINDS["crisis"]))


@dataclass(frozen=True)
class Due:
    """A service whose number has to be checked again, and where it was read."""

    country: str
    name: str
    checked: date
    source: str


def due(today: date) -> list[Due]:
    """The services whose numbers are overdue for a check, the oldest check first."""
    found = [
        Due(country.name, resource.name, date.fromisoformat(resource.oldest_check), resource.source)
        for country in tables().values()
        for resource in country.resources
        if resource.overdue(today)
    ]
    return sorted(found, key=lambda one: (one.checked, one.country))


def overdue(today: date) -> list[str]:
    """The services, as ``US 988 …``, whose numbers are overdue for a check."""
    return [
        f"{code} {resource.name}"
        for code, country in tables().items()
        for resource in country.resources
        if resource.overdue(today)
    ]


def last_checked() -> date:
    """The day of the oldest check of any number."""
    checks = (one.oldest_check for country in tables().values() for one in country.resources)
    return date.fromisoformat(min(checks))
