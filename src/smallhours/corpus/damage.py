"""What handling did to a text: letters decoded with the wrong table, leftovers of HTML, odd white space.

Each function gives an undamaged text back as it came, and does nothing to what it gave.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

LOST = "\ufffd"  # where a letter was lost for good

# Only what a web page is made of: "<3" and "<sigh>" are what people write.
_TAGS = (
    "a|abbr|article|b|big|blockquote|body|br|center|code|div|em|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|"
    "img|input|ins|label|li|link|main|meta|nav|ol|p|pre|s|script|section|small|span|strike|strong|style|sub|sup|table|"
    "tbody|td|th|thead|title|tr|tt|u|ul"
)
_ATTRIBUTES = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>"""
_HIDDEN = re.compile(r"<!--.*?-->|<(script|style)\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(rf"</?(?:br|p|div|li|tr|h[1-6]|blockquote|ul|ol|table){_ATTRIBUTES}", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_TAGS}){_ATTRIBUTES}", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});")

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u2060\ufeff]"
    # Joiners and marks of direction mean something in other scripts and in emoji, not between plain letters.
    "|(?<![^\x00-\u024f])[\u200c-\u200f](?![^\x00-\u024f])"
)
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_LINES = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")


def fix_encoding(text: str) -> str:
    """``dâ€™accord`` -> ``d’accord``. Nothing but the encoding is touched; curly quotes stay curly."""
    if text.isascii():
        return text
    import ftfy

    return "\n".join(ftfy.fix_encoding(line, _encoding_only()) for line in text.split("\n"))


@cache
def _encoding_only() -> TextFixerConfig:
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )


def fix_html(text: str) -> str:
    """Entities become letters, tags go; those that end a line become its end."""
    for _ in range(4):  # "&amp;lt;br&amp;gt;" has come through three pages
        before = text
        if "&" in text:
            text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
        if "<" in text:
            text = _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("", text)))
        if text == before:
            break
    return text


def has_html(text: str) -> bool:
    """Whether :func:`fix_html` would change it."""
    return ("&" in text or "<" in text) and fix_html(text) != text


def fix_spaces(text: str) -> str:
    """One kind of space and of line end, none at the ends, no more than one empty line, nothing unseen."""
    text = _SPACES.sub(" ", _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)))
    return _EMPTY_LINES.sub("\n\n", _AROUND_LINES.sub("\n", text)).strip()


def fix_all(text: str) -> str:
    """Everything above, until nothing changes: a page's entities may hide letters of the wrong table."""
    for _ in range(4):
        before = text
        text = fix_spaces(fix_html(fix_encoding(text)))
        if text == before:
            break
    return text
