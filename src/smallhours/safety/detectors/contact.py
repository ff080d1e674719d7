"""Telephone numbers and addresses in our replies that are not in the helpline tables.

Models invent hotlines. A number or address passes only if our helpline tables have it.

Not seen: numbers written as words, short numbers that nothing introduces ("988 can help" is a number
of the tables, "555 can help" is not recognised as one).
"""

from __future__ import annotations

import re

from smallhours.domain.risk import Finding
from smallhours.safety.helplines import contacts

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]{1,200}"
    r"|(?<![\w@.-])[a-z0-9-]{2,40}(?:\.[a-z0-9-]{2,40}){0,2}"
    r"\.(?:com|org|net|info|io|co|uk|us|ca|au|nz|ie|de|fr|es|br|mx|in|gov|edu|help|health|chat)\b(?:/[^\s<>\"')\]]{0,200})?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,])\+?\(?\d{1,15}\)?(?:[ ().\u2011-]{1,2}\d{1,9}){0,6}(?![\w%])")
_LETTERED = re.compile(r"(?<!\w)1?[ -]?8\d\d-[A-Z0-9-]{4,12}(?!\w)")
_DIALLED = re.compile(
    r"(?:call|dial|text|phone|ring|telephone|number is|hotline(?: is| at)?|helpline(?: is| at)?|"
    r"lifeline(?: is| at)?|\bto|\bat|llama(?: al?)?|marca|appelez(?: le)?|composez(?: le)?|"
    r"ruf\w*(?: die)?|wähl\w*|ligue(?: para)?(?: o)?|disque)[: ]{1,2}(?:the )?$",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\d{1,2}[ -]\d{1,2}(?:[ -]\d{1,2}){0,4}|\d{4}[ -]\d{2}[ -]\d{2}|\d{4}\s?-\s?\d{4}")


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _is_unknown_number(match: re.Match[str], text: str) -> bool:
    written, digits = match.group(), _digits(match.group())
    if digits in contacts().numbers:
        return False
    if len(digits) >= 7:
        return not _TIMES.fullmatch(written)
    before = text[max(0, match.start() - 24) : match.start()]
    introduced = _DIALLED.search(before)
    if not introduced or len(digits) < 3:
        return False
    # "at 900 kcal", "to 100": only the words for telephoning make a short number a telephone number.
    return len(introduced.group().strip(" :")) > 2 or len(digits) in (5, 6)


def detect(text: str) -> list[Finding]:
    """Findings ``unknown_number``, ``unknown_url`` and ``unknown_email``."""
    found: list[Finding] = []

    def add(rule: str, match: re.Match[str]) -> None:
        found.append(Finding(detector="contact", rule=rule, span=match.span()))

    for match in _EMAIL.finditer(text):
        add("unknown_email", match)
    for match in _URL.finditer(text):
        if not contacts().has_url(match.group()):
            add("unknown_url", match)
    for match in _NUMBER.finditer(text):
        if _is_unknown_number(match, text):
            add("unknown_number", match)
    for match in _LETTERED.finditer(text):
        if any(c.isalpha() for c in match.group()):
            add("unknown_number", match)
    return found
