"""How the bytes of a text file become characters: UTF-8, UTF-16 with its mark, or the old Windows table.

The table of Windows-1252 accepts nearly any bytes, so it is only taken for a file that cannot be UTF-8,
and the reader is told.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from smallhours.domain.errors import DataError

PIECE = 1 << 20
# Bytes that Windows-1252 leaves undefined: a file that holds one is something else.
_ZIP = b"PK\x03"
_UNDEFINED = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


@dataclass(frozen=True, slots=True)
class TextKind:
    """The name of Python's codec, and what to tell the owner, if anything."""

    codec: str
    note: str = ""


def detect(path: Path, name: str) -> TextKind:
    """Look through the whole file, a piece at a time.

    Raises:
        DataError: for bytes that are no text we know; the message names line and byte.
    """
    with path.open("rb") as stream:
        start = stream.read(3)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return TextKind("utf-16", f"{name}: read as UTF-16")
        if start == _ZIP:
            raise DataError(
                f"{name}: is a packed file and no text; if it is an Excel workbook, give it the ending .xlsx"
            )
        stream.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        lines = done = 0
        wide = False  # whether there was sound UTF-8 beyond ASCII
        while piece := stream.read(PIECE):
            waiting = len(decoder.getstate()[0])
            bad = piece.find(b"\0")
            try:
                wide |= not decoder.decode(piece[:bad] if bad >= 0 else piece, final=False).isascii()
            except UnicodeDecodeError as error:
                bad = max(0, error.start - waiting)
                if start != codecs.BOM_UTF8 and not _mostly_utf8(piece):
                    return _windows(path, name)
            if bad >= 0:
                raise _not_text(name, lines + piece.count(b"\n", 0, bad) + 1, done + bad, piece[bad])
            lines += piece.count(b"\n")
            done += len(piece)
        left = decoder.getstate()[0]
        if left and wide:
            raise _not_text(name, lines + 1, done - len(left), left[0])
        if left:
            return _windows(path, name)
    return TextKind("utf-8-sig")


def _mostly_utf8(piece: bytes) -> bool:
    """Whether most of what is not ASCII is sound UTF-8: then a damaged letter is a fault, no other table."""
    found = [letter for letter in piece.decode("utf-8", "replace") if letter > "\x7f"]
    return 2 * found.count("\ufffd") < len(found)


def _windows(path: Path, name: str) -> TextKind:
    lines = done = 0
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            found = min((at for at in map(piece.find, (*_singles(_UNDEFINED), b"\0")) if at >= 0), default=-1)
            if found >= 0:
                raise _not_text(name, lines + piece.count(b"\n", 0, found) + 1, done + found, piece[found])
            lines += piece.count(b"\n")
            done += len(piece)
    return TextKind(
        "cp1252",
        f"{name}: not UTF-8, so read as Windows-1252; if letters look wrong, save it as UTF-8 "
        "(Excel: 'CSV UTF-8')",
    )


def _singles(several: bytes) -> list[bytes]:
    return [bytes([one]) for one in several]


def _not_text(name: str, line: int, at: int, byte: int) -> DataError:
    return DataError(
        f"{name} line {line} (byte {at}): not UTF-8 text (found 0x{byte:02X}); "
        "save it as UTF-8 (Excel: 'CSV UTF-8')"
    )
