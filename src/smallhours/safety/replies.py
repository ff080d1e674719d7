"""Fixed replies and resources by locale: what a person gets when no model may answer.

The words are in ``data/replies.toml``, the services in ``data/helplines/``. Nothing here reads
what the person wrote.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from pydantic import ValidationError

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Frozen
from smallhours.domain.risk import Decision, FixedReply, Resource, RiskCategory, RiskLevel
from smallhours.safety.helplines import ANYWHERE, tables

FALLBACK_LANGUAGE = "en"
THIRD_PARTY = "third_party"
# A language alone names a country only where most of its speakers who ask us live. English and
# Portuguese do not: Brazil's lines are for Brazil, but pt in our tables means Brazilian Portuguese.
_COUNTRY_OF = {
    "fr": "FR", "de": "DE", "es": "ES", "pt": "BR", "hi": "IN", "it": "IT", "pl": "PL", "cs": "CZ",
    "sk": "SK",
    "hu": "HU", "sl": "SI", "et": "EE", "lv": "LV", "lt": "LT", "uk": "UA", "el": "GR", "da": "DK",
    "sv": "SE",
    "nb": "NO", "nn": "NO", "no": "NO", "fi": "FI", "is": "IS", "he": "IL", "ja": "JP", "ko": "KR",
    "id": "ID",
    "th": "TH", "vi": "VN", "si": "LK", "ne": "NP",
}  # fmt: skip
# What a person in this trouble needs before the general crisis line.
_KIND_FIRST: Mapping[str, tuple[str, ...]] = {
    RiskCategory.ABUSE: ("domestic_violence", "crisis"),
    RiskCategory.CHILD_SAFETY: ("child", "crisis"),
    RiskCategory.SUBSTANCE_EMERGENCY: ("crisis", "substance"),
    RiskCategory.EATING_DISORDER: ("eating_disorder", "crisis"),
}
# Which trouble the words speak to when there are several: the most urgent first.
_ORDER = (
    RiskCategory.SUICIDE,
    RiskCategory.MEDICAL_EMERGENCY,
    RiskCategory.SUBSTANCE_EMERGENCY,
    RiskCategory.CHILD_SAFETY,
    RiskCategory.HARM_TO_OTHERS,
    RiskCategory.ABUSE,
    RiskCategory.SELF_HARM,
    RiskCategory.PSYCHOSIS,
    RiskCategory.EATING_DISORDER,
)
_QUESTION = re.compile(r"[^.!?؟।:]*[?؟]\s*$")
_SAFE = re.compile(r"\bsafe\b|\ba salvo\b|sécurité|segurança|sicher|सुरक्षित|بأمان|بالأمان")

Variants = tuple[str, ...]


class Wording(Frozen):
    """The texts of one language."""

    disclaimer: str
    emergency_words: str = ""
    elevated: Mapping[str, Variants]
    high: Mapping[str, Variants]
    imminent: Mapping[str, Variants]
    boundary: Mapping[str, Variants]

    def variants(self, level: RiskLevel, key: str) -> Variants:
        """The wordings for a level of ``elevated`` or more and a category or ``third_party``."""
        by_key: Mapping[str, Variants] = getattr(self, level.value)
        return by_key.get(key) or by_key["default"]


class Question(Frozen):
    """A question that ends one of our fixed replies, and the answer that means danger."""

    text: str
    key: str
    danger: str  # "yes" or "no"


@cache
def _wordings() -> Mapping[str, Wording]:
    raw = tomllib.loads((files("smallhours.safety") / "data/replies.toml").read_text("utf-8"))
    found: dict[str, Wording] = {}
    problems: list[str] = []
    for language, entry in raw.items():
        if language == "meta":
            continue
        try:
            found[language] = Wording.model_validate(entry)
        except ValidationError as error:
            problems.append(f"replies.toml [{language}]: {error}")
            continue
        problems.extend(
            f"replies.toml [{language}.{level}]: no 'default'"
            for level in ("elevated", "high", "imminent")
            if not entry[level].get("default")
        )
    if FALLBACK_LANGUAGE not in found:
        problems.append(f"replies.toml: no [{FALLBACK_LANGUAGE}], the fallback language")
    if problems:
        raise DataError(problems)
    return found


@cache
def questions() -> tuple[Question, ...]:
    """Every safety question that our fixed replies end with, in all languages."""
    found: dict[str, Question] = {}
    for wording in _wordings().values():
        for level in ("elevated", "high", "imminent"):
            for key, variants in getattr(wording, level).items():
                for variant in variants:
                    match = _QUESTION.search(variant)
                    if match:
                        text = match.group().strip()
                        danger = "no" if _SAFE.search(text.lower()) else "yes"
                        found.setdefault(text, Question(text=text, key=key, danger=danger))
    return tuple(found.values())


def _language_of(locale: str) -> str:
    language = re.split(r"[-_]", locale.strip())[0].lower()
    return language if language in _wordings() else FALLBACK_LANGUAGE


def country_of(locale: str, country: str | None = None) -> str:
    """The country whose services to show: the one given, the locale's, the language's, or ``ZZ``."""
    known = tables()
    if country is not None:
        return country.upper() if country.upper() in known else ANYWHERE
    parts = [p for p in re.split(r"[-_]", locale.strip()) if p]
    regions = [p.upper() for p in parts[1:] if len(p) == 2 or (len(p) == 3 and p.isdigit())]
    if regions:
        return regions[0] if regions[0] in known else ANYWHERE
    code = _COUNTRY_OF.get(parts[0].lower() if parts else "", ANYWHERE)
    return code if code in known else ANYWHERE


def spoken_locale(locale: str, language: str) -> str:
    """The locale in the language that the person writes, if we have words in it; the country stays.

    Only wording hangs on the guess of a language, never whether a crisis is seen.
    """
    if language not in _wordings() or language == _language_of(locale):
        return locale
    return f"{language}-{country_of(locale)}"


def countries() -> tuple[str, ...]:
    """The country codes that have services of their own."""
    return tuple(sorted(code for code in tables() if code != ANYWHERE))


def resources(country: str | None) -> tuple[Resource, ...]:
    """The services of a country; the international directory for one we do not know."""
    known = tables()
    return known.get((country or ANYWHERE).upper(), known[ANYWHERE]).resources


def _shown(locale: str, code: str, kinds: Sequence[str] = ("crisis",)) -> tuple[Resource, ...]:
    shown = list(resources(code))
    if code == ANYWHERE and locale.strip().lower() == "en":
        # Plain "en" says nothing of the country. Most such deployments are American, so its line is
        # shown too, named for what it is.
        line = resources("US")[0]
        shown.append(line.model_copy(update={"name": f"{line.name} (United States)"}))
    rank = {kind: i for i, kind in enumerate(kinds)}
    return tuple(sorted((r for r in shown if r.kind in rank), key=lambda r: rank[r.kind]))


def _filled(template: str, wording: Wording, code: str) -> str:
    country = tables()[code]
    line = next((r for r in country.resources if r.kind == "crisis"), country.resources[0])
    reach = line.tel or line.url or ""
    words = code == ANYWHERE and wording.emergency_words
    return template.replace("{emergency}", words or country.emergency).replace(
        "{line}", f"{line.name} ({reach})" if reach else line.name
    )


def _pick(variants: Sequence[str], previous: str | None) -> str:
    fresh = [v for v in variants if v != previous]
    return fresh[0] if fresh else variants[0]


def _key(decision: Decision) -> str:
    telling = [f for f in decision.findings if f.level.is_crisis]
    if telling and all(f.rule.startswith(THIRD_PARTY) for f in telling):
        return THIRD_PARTY
    worst = max((f.level.rank for f in telling), default=0)
    gravest = {f.category for f in telling if f.level.rank == worst}
    return next((c.value for c in _ORDER if c in gravest), "default")


def _reply(
    variants: Sequence[str],
    locale: str,
    country: str | None,
    previous: str | None,
    kinds: Sequence[str] = ("crisis",),
) -> FixedReply:
    wording, code = _wordings()[_language_of(locale)], country_of(locale, country)
    texts = [_filled(v, wording, code) for v in variants]
    return FixedReply(
        text=_pick(texts, previous),
        locale=locale,
        country=None if code == ANYWHERE else code,
        resources=_shown(locale, code, kinds),
        disclaimer=wording.disclaimer,
    )


def crisis_reply(
    decision: Decision,
    locale: str,
    country: str | None = None,
    previous_reply: str | None = None,
) -> FixedReply:
    """The fixed reply for a decision of ``elevated`` or more, in other words than the previous one.

    A lower decision gets the wording of ``elevated``: whoever asks for a crisis reply gets one.
    """
    level = decision.level if decision.level.is_crisis else RiskLevel.ELEVATED
    key = _key(decision)
    kinds = _KIND_FIRST.get(key, ("crisis",))
    variants = _wordings()[_language_of(locale)].variants(level, key)
    return _reply(variants, locale, country, previous_reply, kinds)


def boundary_reply(locale: str, previous_reply: str | None = None) -> FixedReply:
    """What we say instead of an answer that may not be sent."""
    variants = _wordings()[_language_of(locale)].boundary["general"]
    return _reply(variants, locale, None, previous_reply)


def unavailable_reply(locale: str, previous_reply: str | None = None) -> FixedReply:
    """What we say when no model answers."""
    variants = _wordings()[_language_of(locale)].boundary["unavailable"]
    return _reply(variants, locale, None, previous_reply)


def identity_reply(locale: str, previous_reply: str | None = None) -> FixedReply:
    """What we say to whoever asks if this is a person: no, an AI."""
    variants = _wordings()[_language_of(locale)].boundary["identity"]
    return _reply(variants, locale, None, previous_reply)


def disclaimer(locale: str) -> str:
    """The line that stands under every answer."""
    return _wordings()[_language_of(locale)].disclaimer
