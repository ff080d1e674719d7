"""A guess at the language of a text, by script and by its commonest words.

For records and replies, and for the weights of the evidence: nothing is left unexamined by a wrong guess.
Short text is often wrong.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

UNKNOWN = "und"
DEFAULT = "en"
_SAMPLE = 600

_SCRIPTS = (
    ("HIRAGANA", "ja"),
    ("KATAKANA", "ja"),
    ("HANGUL", "ko"),
    ("CJK", "zh"),
    ("DEVANAGARI", "hi"),
    ("ARABIC", "ar"),
    ("CYRILLIC", "ru"),
    ("GREEK", "el"),
    ("HEBREW", "he"),
    ("THAI", "th"),
)
_COMMON = {
    "en": "the and is to of i my you it me that do not have what are for with was how",
    "es": "que de no la el y en es un por quiero me mi como esta pero yo estoy muy una tengo",
    "fr": "je de le la les et est pas que un une des ne me mon ma suis pour dans en j vous",
    "de": "ich und nicht die der das ist zu ein mein es mir mich bin wie auf mit kann mehr habe",
    "pt": "que não nao eu de um uma meu minha para com me estou quero mais muito você isso é",
    "it": "che di non il la un una mi sono per con ho come è più voglio mio mia del della",
    "id": "aku saya yang dan tidak ingin mau ini itu untuk di dengan apa sudah bisa lagi banget",
    "tr": "ben bir ve bu istiyorum çok da de için ne değil mi artık yok var beni kendimi nasıl",
    "hi": "main mai mujhe nahi hai hu ho kya ka ki ke mera meri koi raha rahi kar chahta bahut",
}
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _words in _COMMON.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)


@lru_cache(maxsize=1 << 12)
def _script(ch: str) -> str:
    name = unicodedata.name(ch, "LATIN")
    return next((code for prefix, code in _SCRIPTS if name.startswith(prefix)), "latin")


def guess_language(text: str) -> str:
    """A two-letter code; ``en`` when nothing tells, ``und`` for a text without letters."""
    sample = text[:_SAMPLE].lower()
    counts: dict[str, int] = {}
    for ch in sample:
        if ch.isalpha():
            script = _script(ch)
            counts[script] = counts.get(script, 0) + 1
    if not counts:
        return UNKNOWN
    if counts.get("ja", 0) * 5 > counts.get("zh", 0) > 0:
        return "ja"
    script = max(counts, key=lambda s: counts[s])
    if script != "latin":
        return script
    votes: dict[str, int] = {}
    for word in sample.replace("'", " ").split():
        for language in _LANGUAGES_OF.get(word.strip('.,;:!?¿¡"()'), ()):
            votes[language] = votes.get(language, 0) + 1
    return max(votes, key=lambda code: (votes[code], code == DEFAULT), default=DEFAULT)
