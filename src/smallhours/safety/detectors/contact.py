"""Telephone numbers, addresses, handles and private data in our replies that no helpline table has.

Models invent hotlines. A number or address passes only if our helpline tables have it.

Not seen: numbers written as words, short numbers that nothing introduces ("988 can help" is a number
of the tables, "555 can help" is not recognised as one).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

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
# Links of messengers and shorteners, groups, handles, postal addresses, people and houses by name.
_LINK = re.compile(
    r"(?<![\w@.-])[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40})?\.(?:app|gg|me|ly|online|site|care|support|xyz|link|life|club|space|world|center|today)\b"
    r"(?:/[^\s<>\"')\]]{0,200})?",
    re.IGNORECASE,
)
_HANDLE = re.compile(
    r"(?<![\w.@/-])(?:@[a-z]\w[\w.]{1,30}|/?[ru]/\w{3,30}|[a-z]{2,20}(?:_[a-z0-9]{1,20}){1,4})\b", re.I
)
_ADDRESS = re.compile(
    r"(?<!\w)\d{1,5}[A-Za-z]?,? (?:[A-Z][\w'.\u2019-]{1,24} ){1,3}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Court|Close|Way|Place|Square|Boulevard|Blvd|Terrace)\b"
    r"|(?<!\w)\d{1,4},? (?:[Rr]ue|[Cc]alle|[Aa]venue|[Bb]oulevard) [A-Z]\w{2,24}"
    r"|\b[A-ZÄÖÜ][a-zäöüß]{2,24}(?:straße|strasse|platz|gasse) \d{1,4}\b"
    r"|\b(?:[Cc]alle|[Aa]venida|[Rr]ua|[Vv]ia) (?:[\w'.-]{1,24} ){0,3}[\w'.-]{1,24},? \d{1,5}\b"
    r"|\bP\.?O\.? ?[Bb]ox \d{1,6}"
)
_NAMED = re.compile(
    r"\b(?:[Cc]all|[Cc]ontact|[Ss]ee|[Ee]mail|[Vv]isit|[Aa]sk for|[Rr]each out to|[Ww]rite to|[Tt]ext) "
    r"(?:Dr\.?|Doctor|Prof\.?) [A-Z][a-z]{2,20}"
)
_PRIVATE = re.compile(
    r"\b[A-Z]{2}\d{2}[ ]?[A-Z0-9]{4}[A-Z0-9 ]{6,26}\b|\b[A-Z]{1,2}\d{6,9}\b"
    r"|\b(?:PIN|password|[Aa]ccount) (?:ends with |is |number |code )?\d{3,8}\b"
    r"|\b(?:birthday|born)\b[^.!?\n]{0,16}\b\d{1,2}[./ -](?:\d{1,2}|[A-Z][a-z]{2,8})[./ -]\d{2,4}\b"
)
_TIMES = re.compile(r"\d{1,2}[ -]\d{1,2}(?:[ -]\d{1,2}){0,4}|\d{4}[ -]\d{2}[ -]\d{2}|\d{4}\s?-\s?\d{4}")
_PATTERNS = (
    ("unknown_handle", _HANDLE),
    ("unknown_address", _ADDRESS),
    ("unknown_person", _NAMED),
    ("private_data", _PRIVATE),
)


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
    """Findings ``unknown_number``, ``unknown_url``, ``unknown_email`` and those of ``_PATTERNS``."""
    return [Finding(detector="contact", rule=rule, span=match.span()) for rule, match in _unknown(text)]


def _unknown(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for rule, pattern in (("unknown_email", _EMAIL), *_PATTERNS):
        yield from ((rule, match) for match in pattern.finditer(text))
    for match in chain(_URL.finditer(text), _LINK.finditer(text)):
        if not contacts().has_url(match.group()):
            yield "unknown_url", match
    for match in _NUMBER.finditer(text):
        if _is_unknown_number(match, text):
            yield "unknown_number", match
    for match in _LETTERED.finditer(text):
        if any(c.isalpha() for c in match.group()):
            yield "unknown_number", match
