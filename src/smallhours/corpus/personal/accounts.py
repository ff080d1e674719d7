"""Numbers that belong to a person or a card: by check digits, by form, or by what introduces them.

Not seen: national numbers without check digits and without a word that says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = re.compile(r"\d(?:[ .-]?[A-Z]{0,2}[ .-]?\d){3}")
_CARD = re.compile(r"(?<![\w.+-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3\d{3}([ -]?)\d{6}\2\d{5})(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_DNI = re.compile(r"\b(\d{8})[ -]?([A-Z])\b")
_FORMS = re.compile(
    r"(?<![\w.-])(?:\d{3}-\d{2}-\d{4}"  # United States
    r"|\d{3}\.\d{3}\.\d{3}-\d{2}"  # Brazil
    r"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])(?![\w-])"  # United Kingdom
)
_NAMED = re.compile(
    r"\b(?:passport|account|policy|case|licen[cs]e|insurance|social security|ssn|nhs|national id|id card|"
    r"membership|patient|student|medicare|pasaporte|cuenta|passeport|compte|reisepass|konto|passaporte|conta|cpf|rg|"
    r"dni|nie)(?: (?:number|no\.?|num|id|nummer|número|numero|numéro))?(?: is| es| est| ist| é|:| #|#)? ?"
    r"(?P<name>(?=\D{0,4}\d(?:[ -]?(?-i:[A-Z]){0,2}[ -]?\d){3})(?-i:[A-Z0-9])(?:[ -]?(?-i:[A-Z0-9])){4,22})\b"
    r"(?! ?(?:mg|euros?|dollars?|pounds?))",
    re.IGNORECASE,
)
_CONTROL = "TRWAGMYFPDXBNJZSQVHLCKE"  # the letter that a Spanish number ends with, by its remainder
_YEAR = re.compile(r"(?:19|20)\d\d")


def accounts(text: str) -> Iterator[tuple[int, int]]:
    """Spans of cards, bank accounts, national numbers, and numbers introduced as such."""
    if not _DIGITS.search(text):
        return
    for match in _CARD.finditer(text):
        groups = re.findall(r"\d+", match[0])
        if has_luhn_digit("".join(groups)) and not all(_YEAR.fullmatch(group) for group in groups):
            yield match.span()
    for match in _IBAN.finditer(text):
        if _is_iban(match[0].replace(" ", "")):
            yield match.span()
    for match in _DNI.finditer(text):
        if _CONTROL[int(match[1]) % 23] == match[2]:
            yield match.span()
    yield from (match.span() for match in _FORMS.finditer(text))
    yield from (match.span("name") for match in _NAMED.finditer(text))


def has_luhn_digit(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of those before it (13 to 19 digits, not all alike)."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_iban(written: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in written[4:] + written[:4])) % 97 == 1
