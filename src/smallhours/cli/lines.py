"""JSON Lines in, JSON Lines out: the shared edge of ``screen`` and ``answer``."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from pydantic import Field, ValidationError

from smallhours.domain.artifacts import explained_disk_errors
from smallhours.domain.errors import DataError, InputError
from smallhours.domain.messages import Conversation, Frozen, Message

Work = Callable[[Conversation], dict[str, Any]]


class Line(Frozen):
    """One line in: a text or the messages of a conversation."""

    id: str | int | None = None
    text: str | None = None
    messages: tuple[Message, ...] | None = Field(None, min_length=1)
    locale: str = "en"

    def conversation(self) -> Conversation:
        """Raises ValueError unless there is exactly one of text and messages, with a user's turn."""
        if (self.text is None) == (self.messages is None):
            raise ValueError("give either 'text' or 'messages'")
        if self.messages is None:
            return Conversation.of(self.text or "", self.locale)
        return Conversation(messages=self.messages, locale=self.locale)


def process(source: Path, target: Path, work: Work) -> int:
    """Write one line for each line of ``source``, in order; return how many were bad.

    ``-`` stands for standard input or output. Blank lines are passed over. A file is written aside
    and renamed when complete.

    Raises:
        DataError: the source cannot be read.
    """
    bad = 0
    with _reader(source) as lines, _writer(target) as out:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            answer = _one(raw, number, source, work)
            bad += "error" in answer
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            out.flush()
    return bad


def _one(raw: bytes, number: int, source: Path, work: Work) -> dict[str, Any]:
    identity: Any = None
    try:
        data = json.loads(raw.decode("utf-8"))
        identity = data.get("id") if isinstance(data, dict) else None
        return {"id": identity, **work(Line.model_validate(data).conversation())}
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}; save the file as UTF-8"
    except json.JSONDecodeError as error:
        problem = f"not JSON at column {error.colno}: {error.msg}"
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "line"
        problem = f"{where}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        problem = str(error) or "nested too deeply"
    return {"id": identity, "error": {"file": str(source), "line": number, "message": problem}}


@contextlib.contextmanager
def _reader(source: Path) -> Iterator[Iterator[bytes]]:
    if str(source) == "-":
        yield iter(sys.stdin.buffer)
        return
    try:
        stream = source.open("rb")
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror})") from None
    with stream:
        yield iter(stream)


@contextlib.contextmanager
def _writer(target: Path) -> Iterator[TextIO]:
    if str(target) == "-":
        yield sys.stdout
        return
    aside = target.with_name(target.name + ".partial")
    with explained_disk_errors(target):
        try:
            with aside.open("w", encoding="utf-8", newline="\n", errors="surrogatepass") as stream:
                yield stream
            aside.replace(target)
        except FileNotFoundError:
            raise DataError(f"{target}: the folder {target.parent} does not exist") from None
        finally:
            aside.unlink(missing_ok=True)


def finish(bad: int) -> None:
    """End a batch: bad lines stand in the output as error objects, and the exit code says so."""
    if bad:
        raise InputError(
            f"{bad} bad line{'s' if bad > 1 else ''}; each has an 'error' in its place in the output"
        )
