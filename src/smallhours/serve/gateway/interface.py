"""The interface in seven languages: gettext catalogs (``locale/*.po``), read with Babel.

English is the text in templates and scripts itself. A catalog without a translation falls back to it, so
that a person sees English words sooner than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

CATALOGS = Path(__file__).parent / "locale"
LANGUAGES = ("en", "es", "fr", "de", "pt", "hi", "ar")
FALLBACK = "en"
_NUMBER, _DIALLED = Markup('<bdi dir="ltr">{}</bdi>'), frozenset("+0123456789(")


@dataclass(frozen=True)
class Interface:
    """One language of the page. ``script_words`` are the translations that the scripts need."""

    code: str
    name: str
    direction: str
    words: Mapping[str, str]
    script_words: Mapping[str, str]

    def translate(self, text: str) -> str:
        """The text in this language."""
        return self.words.get(text, text)

    def knows(self, text: str) -> bool:
        """Whether the catalog translates the text."""
        return text in self.words

    def country(self, code: str, english: str) -> str:
        """A country's name, from Unicode's CLDR; ours where that has none."""
        if self.code == FALLBACK:
            return english
        return str(Locale.parse(self.code).territories.get(code) or self.translate(english))


@cache
def interface(code: str) -> Interface:
    """The language ``code``, one of :data:`LANGUAGES`; its catalog is read once."""
    locale = Locale.parse(code)
    words: dict[str, str] = {}
    script_words: dict[str, str] = {}
    path = CATALOGS / f"{code}.po"
    if path.is_file():
        with path.open("rb") as file:
            messages = [m for m in read_po(file, locale) if m.id and m.string and not m.fuzzy]
        words = {str(m.id): str(m.string) for m in messages}
        script_words = {
            str(m.id): str(m.string)
            for m in messages
            if any(where.endswith(".js") for where, _ in m.locations)
        }
    direction = "rtl" if locale.character_order == "right-to-left" else "ltr"
    return Interface(code, str(locale.get_language_name(code)).capitalize(), direction, words, script_words)


@dataclass(frozen=True)
class Wanted:
    """What a browser asks for: the interface's language and the country, ``""`` if it names none."""

    language: str
    country: str

    @property
    def locale(self) -> str:
        """Both in one, as ``en-GB``."""
        return f"{self.language}-{self.country}" if self.country else self.language


def wanted(accept_language: str, chosen: str | None = None) -> Wanted:
    """The first language asked for that we have, ``chosen`` by the person before any other.

    The country is that of the first language named: a phone from Belgium set to Dutch is still in Belgium.
    """
    tags = _by_preference(accept_language)
    languages = [chosen or "", *(tag.split("-")[0].lower() for tag in tags)]
    language = next((code for code in languages if code in LANGUAGES), FALLBACK)
    parts = (part.upper() for tag in tags for part in tag.split("-")[1:])
    regions = [part for part in parts if len(part) == 2 and part.isascii() and part.isalpha()]
    return Wanted(language, regions[0] if regions else "")


def _by_preference(accept_language: str) -> list[str]:
    """The well-formed tags of an ``Accept-Language`` header, most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        if not tag.replace("-", "").isalnum() or not tag.isascii():
            continue
        try:
            weighed.append((-float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda one: one[0])]


def fill(text: str, **values: str) -> Markup:
    """A translated text as HTML with ``{name}`` replaced; what looks like a number keeps its direction."""
    filled = escape(text)
    for name, value in values.items():
        shown = _NUMBER.format(value) if value[:1] in _DIALLED else escape(value)
        filled = filled.replace(f"{{{name}}}", shown)
    return filled
