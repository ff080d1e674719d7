"""Personal data in a message: telephone numbers, e-mail addresses, street addresses, card numbers.

Not seen: names, birthdays, handles, addresses without a house number or of unusual form.
"""

from __future__ import annotations

import re

from smallhours.domain.risk import Finding

# Every repetition is bounded and starts at a word's edge, so that long text stays linear.
_RULES = (
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")),
    ("card_number", re.compile(r"(?<![\d-])\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?![\d-])")),
    ("phone", re.compile(r"(?<![\w+])(?:\+|\()?\d{1,4}(?:[ ().-]{0,2}\d{2,4}){2,5}(?!\w)")),
    (
        "street_address",
        re.compile(
            r"(?<!\w)\d{1,5}[a-z]?,? (?:[A-Z][\w'.-]{1,24} ){1,3}"
            r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Close|Way|Place|Pl|Square|"
            r"Boulevard|Blvd|Terrace)\b"
            r"|\b[A-ZÄÖÜ][a-zäöüß]{2,24}(?:straße|strasse|weg|platz|gasse) \d{1,4}\b"
            r"|\b(?:[Cc]alle|[Aa]venida|[Rr]ue|[Rr]ua|[Vv]ia) (?:[\w'.-]{1,24} ){0,3}"
            r"[\w'.-]{1,24},? \d{1,5}\b"
        ),
    ),
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}\s?-\s?\d{4}")


def detect(text: str) -> list[Finding]:
    """Findings of level ``none``: kinds and places of personal data, for those who store text."""
    found: list[Finding] = []
    for rule, pattern in _RULES:
        for match in pattern.finditer(text):
            digits = sum(c.isdigit() for c in match.group())
            if rule == "phone" and (not 7 <= digits <= 15 or _DATE.fullmatch(match.group())):
                continue
            found.append(Finding(detector="privacy", rule=rule, span=match.span()))
    return found
