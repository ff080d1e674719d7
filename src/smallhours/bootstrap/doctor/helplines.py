"""The helpline files as their editors need to hear of them: form, numbers, pages, and the age of each entry.

Not seen: whether a number is still answered, and by whom. Only somebody who opens the operator's page knows.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import phonenumbers
from pydantic import ValidationError

from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.domain.errors import DataError
from smallhours.domain.risk import STALE_DAYS, Chat, Resource
from smallhours.domain.settings import Settings
from smallhours.safety.helplines import ANYWHERE, Country, installed, parsed

KINDS = ("crisis", "domestic_violence", "child", "substance", "eating_disorder", "lgbtq")
PAGES = (
    "operator page",
    "government page",
    "independent listing",
    "stored copy of operator page",
    "stored copy of government page",
    "stored copy of independent listing",
    "not verified against a page",
)
SHORT_CODE = 6  # digits; short codes stay as they are dialled, and no library knows all of them
NAME = "helplines"

_REPLIES = files("smallhours.safety") / "data/replies.toml"


def entries(
    settings: Settings, texts: Mapping[str, str] | None = None, today: date | None = None
) -> Iterator[Check]:
    """Every fault of the files, then every entry that is overdue. By default the installed files, today."""
    texts, today = texts or installed(), today or datetime.now(UTC).date()
    countries, problems = read(texts)
    problems += [told for where, country in countries.items() for told in faults(where, country, today)]
    if problems:
        yield error(
            NAME,
            f"{len(problems)} fault{'s' if len(problems) > 1 else ''} in the files",
            "correct the files under safety/data/helplines/",
            problems,
        )
    services = [(where, one) for where, country in countries.items() for one in country.resources]
    old = [
        f"{where.split()[-1].strip('[]')} {one.name}: checked {one.oldest_check}"
        for where, one in services
        if _day(one.oldest_check) and one.overdue(today)
    ]
    if old:
        yield error(
            NAME,
            f"{len(old)} of {len(services)} entries last checked more than {STALE_DAYS} days ago",
            "open each operator's page, correct the entry, and set 'checked' to the day you read it",
            old,
        )
    if not problems and not old:
        oldest = min(one.oldest_check for _, one in services)
        yield ok(
            NAME,
            f"{len(countries) - 1} countries, {len(services)} entries, none older than {STALE_DAYS} days "
            f"(the oldest was checked on {oldest})",
        )


def sign_off(settings: Settings) -> Iterator[Check]:
    """Who has read the fixed replies."""
    meta = tomllib.loads(_REPLIES.read_text("utf-8"))["meta"]
    if signed := str(meta.get("sign_off", "")).strip():
        yield ok("fixed replies", f"version {meta['version']}, signed off: {signed}")
    else:
        yield warning(
            "fixed replies",
            f"version {meta['version']}, signed off by nobody: no professional has reviewed them",
            "let a clinician read every text in safety/data/replies.toml and fill in 'sign_off'",
        )


def with_edited(path: Path) -> dict[str, str]:
    """The installed files with one in the place of its namesake, or a folder of files in place of all.

    Raises:
        DataError: nothing there that could be such a file.
    """
    edited = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not edited:
        raise DataError(f"{path}: no .toml file in it; name a file or folder of helplines")
    try:
        texts = {one.name: one.read_text("utf-8") for one in edited}
    except OSError as problem:
        raise DataError(f"{path}: cannot be read ({problem.strerror}); name a file or folder") from None
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: not UTF-8 ({problem.reason}); save it as UTF-8") from None
    return texts if path.is_dir() else installed() | texts


def read(texts: Mapping[str, str]) -> tuple[dict[str, Country], list[str]]:
    """Countries by ``file [code]``, as far as they have the right form, and what is wrong with the others."""
    found: dict[str, Country] = {}
    problems: list[str] = []
    seen: dict[str, str] = {}
    for file, code, entry in parsed(texts):
        if isinstance(entry, tomllib.TOMLDecodeError):
            problems.append(f"{file}: not TOML: {entry}")
            continue
        where = f"{file} [{code}]"
        if code in seen:
            problems.append(f"{where}: {seen[code]} has this country already; keep one")
        seen.setdefault(code, file)
        if isinstance(entry, Country):
            found[where] = entry
        else:
            problems.extend(_explained(where, entry))
    if ANYWHERE not in seen:
        problems.append(f"no file has [{ANYWHERE}], the entry for every other country; put it back")
    return found, problems


def _explained(where: str, problem: ValidationError) -> Iterator[str]:
    for detail in problem.errors():
        field = ".".join(str(part) for part in detail["loc"])
        yield f"{where} {field}: {detail['msg']}" if field else f"{where}: {detail['msg']}"


def faults(where: str, country: Country, today: date) -> Iterator[str]:
    """What is wrong with a country of the right form."""
    code = where.rpartition("[")[2].rstrip("]")
    if code != ANYWHERE:
        yield from _country_faults(where, code, country)
    named = Counter((one.name, one.kind) for one in country.resources)
    for (name, kind), count in named.items():
        if count > 1:
            yield f"{where} {name}: stands there {count} times for '{kind}'; keep one"
    for one in country.resources:
        for told in _service_faults(code, one, today):
            yield f"{where} {one.name}: {told}"


def _country_faults(where: str, code: str, country: Country) -> Iterator[str]:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        yield f"{where}: no country code; write two capital letters (ISO 3166-1 alpha-2)"
    if not country.languages:
        yield f"{where} languages: empty; name at least one"
    if not any(letter.isdigit() for letter in country.emergency):
        yield f"{where} emergency: {country.emergency!r} is no number"
    first = country.resources[0] if country.resources else None
    if first is None or first.kind != "crisis" or not first.tel:
        yield f"{where} resources: the first must be a crisis line with a telephone, which fixed replies name"


def _service_faults(code: str, one: Resource, today: date) -> Iterator[str]:
    if not (one.tel or one.sms or one.url):
        yield "cannot be reached; give tel, sms or url"
    if one.kind not in KINDS:
        yield f"kind {one.kind!r}: write one of {', '.join(KINDS)}"
    if one.verified not in PAGES:
        yield f"verified {one.verified!r}: write one of {', '.join(PAGES)}"
    if not one.source.strip():
        yield "source: empty; name the page where the number was read"
    if one.url is not None and not one.url.startswith("https://"):
        yield f"url {one.url!r}: must begin with https://"
    yield from _day_faults("checked", one.checked, today)
    if one.chat is not None:
        yield from _chat_faults(one.chat, one.url, today)
    for field, number in _numbers(one):
        if not _dialable(number, code):
            yield f"{field} {number!r}: no number of {code} by its numbering plan; write it as dialled there"


def _chat_faults(chat: Chat, own: str | None, today: date) -> Iterator[str]:
    host = urlsplit(chat.url).hostname or ""
    if not chat.url.startswith("https://") or not host:
        yield f"chat.url {chat.url!r}: must begin with https://"
    elif chat.host is not None and chat.host != host:
        yield f"chat.host {chat.host!r}: is not the host of {chat.url}"
    elif chat.host is None and not _same_site(host, urlsplit(own or "").hostname or ""):
        yield f"chat.url {chat.url}: not on their own site ({own}); if it is theirs, add host = {host!r}"
    if not chat.source.strip():
        yield "chat.source: empty; name the page where the address was read"
    yield from _day_faults("chat.checked", chat.checked, today)


def _same_site(host: str, own: str) -> bool:
    own = own.removeprefix("www.")
    return bool(own) and (host == own or host.endswith(f".{own}"))


def _day_faults(field: str, written: str, today: date) -> Iterator[str]:
    day = _day(written)
    if day is None:
        yield f"{field} {written!r}: no date; write it as {today}"
    elif day > today:
        yield f"{field} {written}: in the future; write the day on which the page was read"


def _numbers(one: Resource) -> Iterable[tuple[str, str]]:
    return [(field, number) for field, number in (("tel", one.tel), ("sms", one.sms)) if number]


def _dialable(number: str, code: str) -> bool:
    digits = sum(letter.isdigit() for letter in number)
    if digits <= SHORT_CODE:
        return digits >= 2
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, code))
    except phonenumbers.NumberParseException:
        return False


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
