"""Street addresses: a house number with a street's name, as five languages write them.

Careful rather than complete: English street names need a capital letter unless a word for living comes
first. Not seen: addresses without a house number, names of towns, other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGIT = re.compile(r"\d")
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{1,24}"
_KINDS = (
    "Street|St(?! John)|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Close|Way|Place|Pl|Square|Sq|Boulevard|"
    "Blvd|Terrace|Crescent|Parkway|Pkwy|Highway|Hwy|Mews|Gardens|Grove"
)
_LOWER_KINDS = "street|avenue|ave|road|lane|drive|court|close|place|square|boulevard|blvd|terrace|crescent"
_FLAT = r"(?:(?:Flat|Apt|Apartment|Unit|Suite|Room) ?#?\w{1,5},? )?"
_UNIT = r"(?:,? (?:Flat|Apt|Apartment|Unit|Suite|#)\.? ?\w{1,5}\b)?"
_POSTCODE = r"(?:,? [A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|,? (?:[A-Z]{2} )?\d{5}(?:-\d{4})?\b)?"
_OF = r"(?:(?:de la|de l['’]|de|du|des|del|da|do|dos|das|d['’]|la|le|les|los|las|el)[ ]?)?"
_NUMBER = r",? (?:n[º°.o]{0,2} ?|núm\.? |número |#)?\d{1,5}\b"

_FORMS = (
    re.compile(
        rf"(?<![\w.$£€-]){_FLAT}\d{{1,5}}[A-Za-z]?,? "
        rf"(?:{_CAPITAL} |[NSEW]{{1,2}}\.? |\d{{1,3}}(?:st|nd|rd|th) ){{1,3}}"
        rf"(?:{_KINDS}|{_LOWER_KINDS})\b\.?{_UNIT}{_POSTCODE}"
    ),
    re.compile(
        r"(?i:\b(?:live|living|address|house|flat|stay|staying)\b[^.?!\n\d\[]{0,20}?\s)"
        r"(?P<street>\d{1,5}[a-z]? (?:(?!way|road|street|lane|hours?|minutes?|years?)\w{3,20} ){1,2}"
        r"(?:street|avenue|ave|road|lane|drive|close|court|boulevard|terrace|crescent))\b"
    ),
    re.compile(
        r"(?<![\w.])\d{1,4}(?: ?(?:bis|ter))?,? (?i:rue|avenue|av\.|boulevard|bd|chemin|impasse|allée|quai) "
        rf"{_OF}{_CAPITAL}(?: {_CAPITAL}){{0,2}}(?:,? \d{{5}}\b)?"
    ),
    re.compile(
        r"\b(?i:calle|c/|avenida|avda\.|av\.|paseo|plaza|carrera|camino|rua|r\.|travessa|praça|alameda|"
        rf"estrada|via) ?{_OF}{_CAPITAL}(?: {_OF}{_CAPITAL}){{0,3}}{_NUMBER}"
    ),
    re.compile(
        r"\b[A-ZÄÖÜ][\wäöüß.-]{1,30}(?:straße|strasse|str\.|gasse|allee) \d{1,4} ?[a-z]?\b(?:,? \d{5}\b)?"
        r"|\b[A-ZÄÖÜ][\wäöüß-]{1,30} (?:Straße|Strasse|Str\.|Gasse|Allee) \d{1,4} ?[a-z]?\b(?:,? \d{5}\b)?"
        r"|\b[A-ZÄÖÜ][\wäöüß-]{2,30}(?:weg|platz|ring|damm|ufer) \d{1,4} ?[a-z]?, \d{5}\b"
    ),
)


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Spans of street addresses, house number and postal code included."""
    if not _DIGIT.search(text):
        return
    for form in _FORMS:
        for match in form.finditer(text):
            yield match.span("street") if "street" in form.groupindex else match.span()
