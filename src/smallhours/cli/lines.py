"""JSON Lines in, JSON Lines out: the shared edge of ``screen`` and ``answer``."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from pydantic import Field, ValidationError

from smallhours.domain.artifacts import explained_disk_errors
from smallhours.domain.errors import DataError, InputError
from smallhours.domain.messages import Conversation, Frozen, Message

Work = Callable[[Sequence[Conversation]], Iterable[dict[str, Any]]]


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A line that was read: what it asks about, or what is wrong with it."""

    number: int
    identity: Any
    conversation: Conversation | None
    problem: str = ""


def process(source: Path, target: Path, work: Work, together: int = 1) -> int:
    """Write one line for each line of ``source``, in order; return how many were bad.

    ``work`` gets ``together`` conversations at a time from a file, and one at a time from standard input,
    where somebody may wait for each answer.
    ``-`` stands for standard input or output. Blank lines are passed over. A file is written aside
    and renamed when complete.

    Raises:
        DataError: the source cannot be read.
    """
    bad = 0
    with _reader(source) as lines, _writer(target) as out:
        asked = (_read(raw, number) for number, raw in enumerate(lines, start=1) if raw.strip())
        while chunk := list(islice(asked, 1 if str(source) == "-" else together)):
            for answer in _answers(chunk, source, work):
                bad += "error" in answer
                out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            out.flush()
    return bad


def _answers(chunk: Sequence[_Asked], source: Path, work: Work) -> Iterator[dict[str, Any]]:
    """One answer or error for each line; where they cannot be worked on together, one by one."""
    conversations = [one.conversation for one in chunk if one.conversation]
    try:
        worked = iter(list(work(conversations)) if conversations else [])
    except (ValueError, RecursionError) as error:
        if len(chunk) > 1:
            for one in chunk:
                yield from _answers([one], source, work)
            return
        chunk = [replace(chunk[0], conversation=None, problem=_told(error))]
        worked = iter(())
    for one in chunk:
        if one.conversation:
            yield {"id": one.identity, **next(worked)}
        else:
            error_at = {"file": str(source), "line": one.number, "message": one.problem}
            yield {"id": one.identity, "error": error_at}


def _read(raw: bytes, number: int) -> _Asked:
    identity: Any = None
    try:
        data = json.loads(raw.decode("utf-8"))
        identity = data.get("id") if isinstance(data, dict) else None
        return _Asked(number, identity, Line.model_validate(data).conversation())
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}; save the file as UTF-8"
    except json.JSONDecodeError as error:
        problem = f"not JSON at column {error.colno}: {error.msg}"
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "line"
        problem = f"{where}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        problem = _told(error)
    return _Asked(number, identity, None, problem)


def _told(error: Exception) -> str:
    return str(error) or "nested too deeply"


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
