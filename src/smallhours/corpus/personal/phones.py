"""Telephone numbers: international ones, what follows a word for telephoning, and national forms.

Short numbers and those that are free to call belong to services, as do all of the helpline tables: they are
not personal. Years, ages, times, doses and amounts are no telephone numbers.

Not seen: numbers written as words; national forms of countries that are not in ``REGIONS``, unless a word
for telephoning comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smallhours.safety.helplines import contacts

REGIONS = ("US", "GB", "FR", "DE", "ES", "PT", "BR", "MX", "IN", "AU", "NG", "PH")
_FEWEST, _MOST = 7, 15  # digits

_CANDIDATE = re.compile(r"(?<![\w.,:+#$€£₹/-])\+?\(?\d(?:[ \u00a0().\u2011/-]{0,3}\d){6,}")
_CUE = re.compile(
    r"(?:phone|cell|mobile|whats ?app|number|call|text|ring|reach|dial|tel|"
    r"tel[ée]fono|m[óo]vil|n[úu]mero|ll[áa]ma\w{0,3}|t[ée]l[ée]phone|portable|num[ée]ro|appel\w{0,4}|"
    r"telefon|telefonnummer|nummer|handy|ruf\w{0,2}|telefone|celular|lig\w{1,3}|zap)\b[ :.]{1,2}"
    r"(?:(?:me|us|is|at|on|to|him|her|es|al|en|est|au|sur|ist|an|unter|é|para|no|o)\b[ :]{1,2}){0,3}$",
    re.IGNORECASE,
)
_FREE = re.compile(r"(?:00)?1?8(?:00|33|44|55|66|77|88)|0?80[08]|0?30[03]|13(?:00)?(?=\d{4}|$)|116")
_MEASURED = re.compile(
    r"\s?(?:[%°€$£₹]|(?:mg|mcg|ml|g|kg|km|cm|mm|m|lbs?|kcal|cal\w*|euros?|dollars?|pounds?|pesos?|reais|rupees?|rs|usd|eur|"
    r"am|pm|h|hours?|hrs?|mins?|years?|yrs?|days?|weeks?|months?|followers|people|steps|views)\b)",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\d{1,3}(?:[. ]000)+|\d{1,3}(?:\.\d{3})+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?: \d{1,2}){0,3}")


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Spans of telephone numbers."""
    for match in _CANDIDATE.finditer(text):
        start, written = match.start(), match[0]
        if _MEASURED.match(text, match.end()) or _is_something_else(written):
            continue
        if written.startswith("+") or _CUE.search(text, max(0, start - 40), start):
            digits = _digits(written)
            if _FEWEST <= len(digits) <= _MOST and not _is_service(digits):
                yield match.span()
                continue
        yield from ((start + one, start + other) for one, other in _national(written))


def _national(written: str) -> list[tuple[int, int]]:
    from phonenumbers import Leniency, PhoneNumberMatcher, PhoneNumberType, number_type

    free = (PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN)
    found: list[tuple[int, int]] = []
    for region in REGIONS:
        for match in PhoneNumberMatcher(written, region, leniency=Leniency.STRICT_GROUPING):
            if number_type(match.number) in free or _is_service(_digits(match.raw_string)):
                return []
            found.append((match.start, match.end))
    longest: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: span[0] - span[1]):
        if all(end <= other or until <= start for other, until in longest):
            longest.append((start, end))
    return longest


def _is_something_else(written: str) -> bool:
    groups = re.findall(r"\d+", written)
    return bool(
        all(_YEAR.fullmatch(group) for group in groups)
        or all(len(group) == 1 for group in groups)
        or _AMOUNT.fullmatch(written)
        or _DATE.fullmatch(written)
    )


def _is_service(digits: str) -> bool:
    return digits in contacts().numbers or bool(_FREE.match(digits))


def _digits(written: str) -> str:
    return "".join(letter for letter in written if letter.isdigit())
