"""A chat format read from a tokenizer's own template, by trying it.

A template is a program; what it writes around each turn is found by rendering conversations of known
words and looking at what stands between them. The parts are then put together again and compared with
the template: a template that cannot be taken apart is refused, never approximated.

Not covered: templates whose text around a turn depends on how many turns there are, beyond the last answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from smallhours.domain.errors import InputError
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.llm.chat_format import ChatFormat, Turn

# Some templates write today's date. What was trained must be served tomorrow, so it stands still.
FIXED_DATE = "{% macro strftime_now(format) %}26 Jul 2024{% endmacro %}"
# Between the system prompt and the first message, where a template has no place for the prompt.
JOINT = "\n\n"

_WORDS = ("Qsystem", "Quser", "Qanswer", "Qagain", "Qlast")
_ROLES = (Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.USER, Role.ASSISTANT)
_SCRIPT = tuple(Message(role=r, content=w) for r, w in zip(_ROLES, _WORDS, strict=True))
_CHECKS = ("Be kind.", "I cannot  sleep.\nStill.", "That is hard.\n\nIt is.", "What now?", "Rest.")

Render = Callable[..., str]


def format_from_template(tokenizer: Any, name: str) -> ChatFormat:
    """The format of a transformers tokenizer's chat template; ``name`` is the base, for messages.

    Thinking aloud is switched off where the template knows the switch (``enable_thinking``).

    Raises:
        InputError: no template, or one that cannot be taken apart.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise InputError(
            f"base '{name}': its tokenizer has no chat template, so nobody can tell how it writes a "
            "conversation. Take its instruction-tuned sibling, or put a chat_template.jinja beside the model"
        )

    def render(messages: Sequence[Message], *, opening: bool = False) -> str:
        return str(
            tokenizer.apply_chat_template(
                [{"role": m.role.value, "content": m.content} for m in messages],
                chat_template=FIXED_DATE + tokenizer.get_chat_template(),
                tokenize=False,
                add_generation_prompt=opening,
                enable_thinking=False,
            )
        )

    try:
        form = _take_apart(render, tokenizer, name)
        same = all(ours == theirs for ours, theirs in _comparisons(form, render))
    except _UnclearError as error:
        raise _refused(name, str(error)) from None
    except TypeError as error:
        raise _refused(name, f"it fails ({error})") from None
    if not same:
        raise _refused(name, "its turns are not written the same way each time")
    return form


class _UnclearError(Exception):
    """Why a template cannot be taken apart."""


def _refused(name: str, why: str) -> InputError:
    return InputError(
        f"base '{name}': its chat template cannot be used here: {why}. Take another base, or put a "
        "chat_template.jinja beside it that writes each turn the same way and ends answers with a token"
    )


def _take_apart(render: Render, tokenizer: Any, name: str) -> ChatFormat:
    takes_system = _takes_system(render)
    script = _SCRIPT if takes_system else _SCRIPT[1:]
    asked = script[:-3]
    first, *gaps, closing = _between(_rendered(render, script), [m.content for m in script])
    *system_to_user, to_past, to_user, to_last = gaps
    user_after = _after(_rendered(render, asked), "Quser")
    opening = _beyond(user_after, _after(_rendered(render, asked, opening=True), "Quser"), "a user's turn")
    lead = _beyond(opening, _beyond(user_after, to_last, "a user's turn"), "the opening of an answer")
    past = _beyond(user_after, to_past, "a user's turn")
    if not past.endswith(lead):
        raise _UnclearError("earlier answers begin in another way than the last")
    user = Turn(_beyond(closing, to_user, "an answer"), user_after)
    end = _end_token(closing, tokenizer)
    joined = True
    if not takes_system:
        system = Turn(first, JOINT)
    elif system_to_user[0].endswith(user.before):
        system, joined = Turn(first, system_to_user[0].removesuffix(user.before)), False
    else:
        system = Turn(first, system_to_user[0])
    assistant = Turn(past.removesuffix(lead), closing)
    return ChatFormat(
        name=name,
        end=end,
        user=user,
        assistant=assistant,
        answer_opening=opening,
        lead=lead,
        system=system,
        joined=joined,
        markers=tuple(_markers((system, user, assistant, Turn(opening, "")), tokenizer)),
        trimmed=_trims(render, script),
    )


def _rendered(render: Render, messages: Sequence[Message], **options: bool) -> str:
    from jinja2 import TemplateError

    try:
        return render(messages, **options)
    except TemplateError as error:
        raise _UnclearError(f"it fails ({error})") from None


def _takes_system(render: Render) -> bool:
    """Whether the template writes a system prompt, once, before everything else that is said."""
    try:
        text = _rendered(render, _SCRIPT)
    except _UnclearError:
        return False
    return text.count(_WORDS[0]) == 1 and text.index(_WORDS[0]) < text.find(_WORDS[1])


def _between(text: str, words: Sequence[str]) -> list[str]:
    parts = re.split("|".join(map(re.escape, words)), text)
    if re.findall("|".join(map(re.escape, words)), text) != list(words):
        raise _UnclearError("it leaves out, repeats or reorders what is said")
    return parts


def _after(text: str, word: str) -> str:
    return text.rpartition(word)[2]


def _beyond(known: str, text: str, what: str) -> str:
    if not text.startswith(known):
        raise _UnclearError(f"{what} is followed now by one text, now by another")
    return text.removeprefix(known)


def _end_token(closing: str, tokenizer: Any) -> str:
    found = [(closing.index(t), -len(t), t) for t in _added_tokens(tokenizer, special=False) if t in closing]
    if not found:
        raise _UnclearError("no token ends an answer, so that the model could not learn to stop")
    return min(found)[2]


def _added_tokens(tokenizer: Any, *, special: bool) -> list[str]:
    return [
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.content.strip() and (token.special or not special)
    ]


def _markers(turns: Sequence[Turn], tokenizer: Any) -> Iterator[str]:
    """Every special token, and every text beside them that opens or closes a turn by itself ("[INST]").

    A bare word ("user") means nothing without the token before it, and people need it.
    """
    literals = [text for turn in turns for text in (turn.before, turn.after)]
    tokens = dict.fromkeys(_added_tokens(tokenizer, special=True))
    tokens.update((t, None) for t in _added_tokens(tokenizer, special=False) if any(t in x for x in literals))
    yield from tokens
    rest = re.compile("|".join([*map(re.escape, sorted(tokens, key=len, reverse=True)), "\n"]))
    lines = dict.fromkeys(part.strip() for text in literals for part in rest.split(text))
    yield from (line for line in lines if re.search(r"\w", line) and re.search(r"[^\w\s]", line))


def _trims(render: Render, script: Sequence[Message]) -> bool:
    spaced = [m.model_copy(update={"content": f" {m.content} "}) for m in script]
    text = _rendered(render, spaced)
    return not all(m.content in text for m in spaced)


def _comparisons(form: ChatFormat, render: Render) -> Iterator[tuple[str, str]]:
    """What we write and what the template writes, for conversations of one to four turns."""
    own = [Message(role=r, content=c) for r, c in zip(_ROLES, _CHECKS, strict=True)]
    prompt, turns = own[0].content, own[1:]
    theirs = own
    if not _takes_system(render):
        theirs = [Message(role=Role.USER, content=prompt + JOINT + turns[0].content), *turns[1:]]
    offset = len(theirs) - len(turns)
    for count in (1, 3):
        asked = Conversation(messages=tuple(turns[:count]))
        yield form.prompt(asked, prompt), _rendered(render, theirs[: count + offset], opening=True)
    for count in (2, 4):
        segments = form.segments(tuple(turns[:count]), prompt)
        yield "".join(s.text for s in segments), _rendered(render, theirs[: count + offset])
