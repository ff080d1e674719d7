"""Characters that a reader cannot see, made visible: nobody signs words that are not on the screen."""

from __future__ import annotations

import re

# Control codes but for tab and line end, soft hyphen, zero-width space, word joiner and its kin, marks and
# overrides of writing direction, byte order mark, tags. The joiners of Hindi, Arabic and emoji stay.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


def reveal(text: str) -> str:
    """The text with each hidden character written as ``⟨U+200B⟩``."""
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def without_hidden(text: str) -> str:
    """The text without its hidden characters; separators of lines and paragraphs become line ends."""
    return _HIDDEN.sub(lambda match: "\n" if match[0] in "\u2028\u2029" else "", text)
