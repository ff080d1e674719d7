"""E-mail addresses, links that lead to a person, and handles.

Not seen: handles without a mark or a digit ("my insta is sunflower"), addresses spelt out in unusual ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_EMAIL = re.compile(r"(?<![\w.+-])(?:mailto:)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.IGNORECASE)
_SPELT_OUT = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}(?: ?@ ?| ?\(at\) ?| at )"
    r"(?:g(?:oogle)?mail|hotmail|yahoo|outlook|icloud|protonmail|gmx)"
    r"(?: ?\. ?| ?\(dot\) ?| dot )[a-z]{2,3}\b",
    re.IGNORECASE,
)
_PROVIDERS = ("mail", "yahoo", "outlook", "icloud", "gmx")
_LINK = re.compile(
    r"(?<![\w@.-])(?:(?:https?://|www\.)[^\s<>\"')\]]{3,300}"
    r"|[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){1,3}/[^\s<>\"')\]]{1,300})",
    re.IGNORECASE,
)
_SITES = (
    r"instagram\.com|facebook\.com|fb\.com|m\.me|twitter\.com|x\.com|tiktok\.com|threads\.net|snapchat\.com|t\.me|"
    r"wa\.me|linkedin\.com|discord(?:app)?\.(?:gg|com)|youtube\.com|twitch\.tv|vk\.com|bsky\.app|tumblr\.com|"
    r"pinterest\.\w+|onlyfans\.com|github\.com|medium\.com|linktr\.ee|paypal\.me|venmo\.com|cash\.app"
)
# The page of a person: on a site where a path is a name, or by the shape of the path; never a bare host.
_PERSONAL = re.compile(
    rf"^(?:https?://)?(?:www\.|[a-z]{{1,2}}\.)?(?:{_SITES})/[@\w]"
    r"|^https?://[^/\s]+@"
    r"|/(?:@|~|u/|user/|users/|profile/|profiles/|people/|in/|add/)\w"
    r"|[?&](?:user|username|email|name|profile)=\w",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w@/.+-])@(?P<name>[^\W\d]\w{1,29}(?:\.\w{1,29})*)|(?<![\w/])/?u/[\w-]{3,20}\b")
_NAMED = re.compile(
    r"\b(?:insta(?:gram)?|snap(?:chat)?|discord|tik ?tok|telegram|twitter|skype|kik|reddit|steam|psn|"
    r"gamer ?tag|user ?name|handle|usuario|utilisateur|benutzername)(?: (?:name|handle|id|user))?"
    r"(?: is|'s| es| est| ist|:| -) ?(?P<name>(?=[\w.#-]*[\d_#])[a-z][\w.#-]{2,30}\w)",
    re.IGNORECASE,
)
# Parts of the words that _NAMED begins with: most texts hold none, and are passed over quickly.
_NETWORKS = (
    "insta", "snap", "discord", "tik", "telegram", "twitter", "skype", "kik", "reddit", "steam", "psn",
    "gamer", "user", "handle", "usuario", "utilisateur", "benutzer",
)  # fmt: skip
# "@home", "@work": short for "at".
_AT = {
    "a", "all", "an", "church", "class", "college", "first", "four", "gym", "her", "his", "home", "hospital",
    "last", "least", "lunch", "me", "midnight", "my", "night", "noon", "once", "one", "our", "school", "that",
    "the", "their", "them", "there", "these", "this", "those", "three", "times", "two", "uni", "university",
    "us", "work", "you", "your",
}  # fmt: skip


def emails(text: str) -> Iterator[tuple[int, int]]:
    """``name@host.tld``, and the spelt-out form at the large providers."""
    if "@" in text:
        yield from (match.span() for match in _EMAIL.finditer(text))
    if _has(text, _PROVIDERS):
        yield from (match.span() for match in _SPELT_OUT.finditer(text))


def links(text: str) -> Iterator[tuple[int, int]]:
    """Links with a user's name in them; other links are left alone."""
    if "/" not in text:
        return
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?")
        if _PERSONAL.search(address):
            yield match.start(), match.start() + len(address)


def handles(text: str) -> Iterator[tuple[int, int]]:
    """``@name``, ``u/name``, and names that follow the name of a network."""
    if "@" in text or "u/" in text:
        for match in _HANDLE.finditer(text):
            if (match["name"] or "").casefold() not in _AT:
                yield match.span()
    if _has(text, _NETWORKS):
        yield from (match.span("name") for match in _NAMED.finditer(text))


def _has(text: str, parts: tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(part in lowered for part in parts)
