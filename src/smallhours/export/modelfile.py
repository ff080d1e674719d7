"""Ollama's Modelfile: written, read, and its template filled in as Ollama would.

Ollama itself is not a package of Python, so its part is read here: a Modelfile's instructions, and of Go's
templates exactly what :func:`smallhours.export.chat_template.go_template` writes. Anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from smallhours.domain.errors import RunError
from smallhours.domain.messages import Conversation
from smallhours.export.chat_template import go_template
from smallhours.llm.chat_format import ChatFormat

NOTE = (
    "This is the tuned model alone. The safety layer of Smallhours (crisis screening, fixed replies,",
    "helplines, screening of answers) is NOT inside it: do not put it in front of people without one.",
    "Serve with 'smallhours serve' instead, or screen each message with 'smallhours screen'.",
)
_INSTRUCTION = re.compile(
    r'^(FROM|TEMPLATE|SYSTEM|PARAMETER \w+) (?:"""(.*?)"""|"(.*?)"|(.*?))$', re.MULTILINE | re.DOTALL
)
_ACTION = re.compile(r"\{\{ (.*?) \}\}")
_ACTIONS = {
    r"\.System": "{{ system }}",
    r"\.Content": "{{ m.content }}",
    r"range \.Messages": "{% for m in messages %}",
    r'if eq \.Role "(\w+)"': r"{% if m.role == '\1' %}",
    r'else if eq \.Role "(\w+)"': r"{% elif m.role == '\1' %}",
    r"if not \$(\w+)": r"{% if not ns.\1 %}",
    r"\$(\w+) := (true|false)": r"{% set ns = namespace(\1=\2) %}",
    r"\$(\w+) = (true|false)": r"{% set ns.\1 = \2 %}",
}


def write_modelfile(
    form: ChatFormat, system_prompt: str, weights: str, parameters: Mapping[str, object]
) -> str:
    """The text of a Modelfile for the GGUF file ``weights`` beside it.

    Raises:
        RunError: a prompt or a turn that a Modelfile has no way to quote.
    """
    if '"""' in system_prompt:
        raise RunError('train.system_prompt holds """, which a Modelfile cannot quote; export another target')
    lines = [*(f"# {line}" for line in NOTE), f"FROM ./{weights}", f'TEMPLATE """{go_template(form)}"""']
    if form.system is not None:
        lines.append(f'SYSTEM """{system_prompt.strip() if form.trimmed else system_prompt}"""')
    lines.append(f'PARAMETER stop "{form.end}"')
    lines += [f"PARAMETER {name} {value}" for name, value in parameters.items()]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Modelfile:
    """What a Modelfile says."""

    weights: str
    template: str
    system: str
    stop: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Modelfile:
        """Raises RunError if an instruction is missing."""
        text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
        found: dict[str, list[str]] = {}
        for name, *values in _INSTRUCTION.findall(text):
            found.setdefault(name, []).append("".join(values))
        if "FROM" not in found or "TEMPLATE" not in found:
            raise RunError("the Modelfile lacks FROM or TEMPLATE; export the run again")
        system = found.get("SYSTEM", [""])[0]
        stop = tuple(found.get("PARAMETER stop", ()))
        return cls(found["FROM"][0], found["TEMPLATE"][0], system, stop)

    def render(self, conversation: Conversation) -> str:
        """The prompt that Ollama makes of a conversation."""
        from jinja2 import Environment

        turns = [(m.role.value, m.content) for m in conversation.messages]
        if turns[0][0] != "system" and self.system:
            turns.insert(0, ("system", self.system))
        values = {
            "system": "\n\n".join(content for role, content in turns if role == "system"),
            "messages": [{"role": role, "content": content} for role, content in turns],
        }
        made = Environment(keep_trailing_newline=True, autoescape=False).from_string(_as_jinja(self.template))  # noqa: S701
        return made.render(values)


def _as_jinja(template: str) -> str:
    """A template of Go's in the words of Jinja."""
    pieces: list[str] = []
    open_blocks: list[str] = []
    for number, part in enumerate(_ACTION.split(template)):
        if number % 2 == 0:
            pieces.append(f"{{% raw %}}{part}{{% endraw %}}" if part else "")
        elif part == "end":
            pieces.append(f"{{% end{open_blocks.pop()} %}}")
        else:
            pieces.append(_action(part))
            if part.startswith(("range", "if")):
                open_blocks.append("for" if part.startswith("range") else "if")
    return "".join(pieces)


def _action(go: str) -> str:
    for pattern, jinja in _ACTIONS.items():
        if match := re.fullmatch(pattern, go):
            return match.expand(jinja)
    raise RunError(f"the Modelfile's template holds {{{{ {go} }}}}, which is not read here")
