"""Names of people, only where the text itself says that a name follows.

"My name is", "call me", "I'm … from", "Dear", "Dr", and their like in Spanish, French, German and Portuguese.
Not seen: every other name, names in scripts without capital letters, "ich bin … aus" (German writes every
noun with a capital).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

_BARE_WORD = re.compile(r"\w+")
_WORD = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+(?:[-'’](?:[^\W\d_][\u0300-\u036f]*)+)*")
# After these a name follows even in lower case.
_INTRODUCED = re.compile(
    r"\b(?:my (?:(?:first|last|full|real|middle) )?name(?:'s|’s| is)|the name'?s|me llamo|mi nombre es|"
    r"je m['’]appelle|mon (?:pré)?nom est|ich hei(?:ß|ss)e|mein (?:vor)?name ist|"
    r"meu nome é|me chamo|chamo-me)[:,]? (?=\w)",
    re.IGNORECASE,
)
# After these a capital letter makes a name. Titles are left standing.
_NOT_MINE = "".join(
    f"(?<!{word} )" for word in ("meine", "seine", "deine", "eine", "der", "die", "als", "zur")
)
_ADDRESSED = re.compile(
    r"\b(?:(?:his|her|their|our|(?:\w+['’]s)) (?:first |last |full |real )?name(?:'s|’s| is| was)|"
    r"(?:calls?|called) me|dear|doctor|professor|(?:dr|mr|mrs|ms|mx|prof|sr|sra|dra|mme|mlle)\.?|"
    r"ll[áa]mame|ll[áa]menme|llamarme|querid[oa]|estimad[oa]|doctora|señora?|"
    r"appelle[zr]?-moi|moi,? c['’]est|ch[eè]re?|docteur|monsieur|madame|"
    rf"nenn(?:t|e|en sie)? mich|lieber?|{_NOT_MINE}frau|herrn?|"
    r"me cham(?:ar|e|em) de|chama-me|prezad[oa]|doutora?|senhora?) (?=\w)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:I['’]?m|I am|soy|je suis|sou [oa]) (?P<name>[^\W\d_]+)(?:,? from(?: the)? |,? de |,? d['’])"
    r"(?=(?-i:[A-ZÀ-ÖØ-Þ]))",
    re.IGNORECASE,
)
# One of these words stands in every text that one of the patterns could fit.
_SIGNS = {
    _INTRODUCED: "name llamo nombre appelle nom prénom heisse heiss vorname nome chamo",
    _ADDRESSED: """
        name me dear doctor professor dr mr mrs ms mx prof sr sra dra mme mlle llámame llamame
        llámenme llamenme llamarme querido querida estimado estimada doctora señor señora appelle appellez
        appeler moi cher chère chere docteur monsieur madame mich liebe lieber frau herr herrn prezado
        prezada doutor doutora senhor senhora
    """,
    _FROM: "from soy suis sou",
}
_SIGNS_OF = {pattern: frozenset(words.split()) for pattern, words in _SIGNS.items()}
_PARTICLES = {"al", "bin", "da", "de", "del", "della", "der", "di", "do", "dos", "ibn", "la", "van", "von"}
_BOUNDARY = re.compile(
    r"\s*(?:$|[.,;:!?)\n-]|(?:and|but|i|i'm|im|from|y|e|et|und|de|aus|tengo|j['’]|ich|tenho|\d)(?!\w))",
    re.IGNORECASE,
)
_MOST_WORDS = 3


@cache
def not_names() -> Mapping[str, frozenset[str]]:
    """The lists of ``data/not_names.toml``."""
    raw = (files("smallhours.corpus") / "data/not_names.toml").read_text("utf-8")
    return {key: frozenset(words.casefold().split()) for key, words in tomllib.loads(raw).items()}


def names(text: str) -> Iterator[tuple[int, int]]:
    """Spans of names, titles and words around them left out."""
    words = set(_BARE_WORD.findall(text.casefold()))
    for pattern, signs in _SIGNS_OF.items():
        if not signs.isdisjoint(words):
            for match in pattern.finditer(text):
                span = _named_by(match, text)
                if span:
                    yield span


def _named_by(match: re.Match[str], text: str) -> tuple[int, int] | None:
    if match.re is _FROM:
        word = match["name"]
        is_one = _is_name(word) and word.casefold() not in not_names()["not_from"]
        return match.span("name") if is_one and not word.endswith(("ing", "ed")) else None
    start = match.end()
    if match.re is _INTRODUCED:
        end = _name_end(text, start, not_names()["introduced"]) or _lower_case_end(text, start)
    else:
        end = _name_end(text, start)
    return (start, end) if end else None


def _name_end(text: str, start: int, sure: frozenset[str] = frozenset()) -> int | None:
    """Where some words with capitals end, particles between them included. ``sure`` are names here."""
    end, at, taken = None, start, 0
    while taken < _MOST_WORDS and (word := _WORD.match(text, at)):
        if _is_name(word[0], sure if not taken else frozenset()):
            taken += 1
            end = word.end() - (2 if word[0].endswith(("'s", "’s")) else 0)
        elif end is None or word[0] not in _PARTICLES:
            break
        if text[word.end() : word.end() + 1] != " ":
            break
        at = word.end() + 1
    return end


def _lower_case_end(text: str, start: int) -> int | None:
    """One or two words after which the sentence ends or turns; anything longer is no name."""
    at = start
    for _ in range(2):
        word = _WORD.match(text, at)
        if word is None or len(word[0]) < 2 or word[0].casefold() in not_names()["never"]:
            return None
        if _BOUNDARY.match(text, word.end()):
            return word.end()
        at = word.end() + 1
    return None


def _is_name(word: str, sure: frozenset[str] = frozenset()) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    plain = word.casefold().removesuffix("'s").removesuffix("’s")
    return (
        len(letters) > 1
        and letters[0].isupper()
        and any(letter.islower() for letter in letters)
        and not word.startswith(("I'", "I’"))
        and (plain in sure or plain not in not_names()["never"])
    )
