"""A chat format as the templates that other programs read: Jinja for most of them, Go's for Ollama.

The trained system prompt stands in the template, so that a caller who gives none gets the one the verdict
is about; a caller's own first system message takes its place.

Not covered: what people type is cleared in Jinja alone, and there of the texts that open or close a turn,
once. Go's templates have no function for it.
"""

from __future__ import annotations

import json

from smallhours.domain.errors import RunError
from smallhours.llm.chat_format import ChatFormat


def jinja_template(form: ChatFormat, system_prompt: str) -> str:
    """The template for a tokenizer's ``chat_template`` and a GGUF file's ``tokenizer.chat_template``."""
    prompt = system_prompt.strip() if form.trimmed else system_prompt
    said = "m['content']" + "".join(f" | replace({_jinja(marker)}, '')" for marker in _turn_markers(form))
    said = f"({said} | trim)" if form.trimmed else f"({said})"
    lines = [
        f"{{%- set ns = namespace(system={_jinja(prompt)}, asked=-1, first=true) -%}}",
        "{%- for m in messages -%}",
        "{%- if m['role'] == 'system' and loop.first -%}",
        f"{{%- set ns.system = {said} -%}}",
        "{%- elif m['role'] == 'user' -%}",
        "{%- set ns.asked = loop.index0 -%}",
        "{%- endif -%}",
        "{%- endfor -%}",
    ]
    if form.system is not None:
        lines.append(f"{{{{- {_jinja(form.system.before)} + ns.system + {_jinja(form.system.after)} -}}}}")
    joined = form.joined and form.system is not None
    lines += [
        "{%- for m in messages -%}",
        "{%- if m['role'] == 'user' -%}",
        *([f"{{%- if not ns.first -%}}{_write(form.user.before)}{{%- endif -%}}"] if joined else []),
        *([] if joined else [_write(form.user.before)]),
        f"{{{{- {said} + {_jinja(form.user.after)} -}}}}",
        "{%- set ns.first = false -%}",
        "{%- elif m['role'] == 'assistant' -%}",
        *([f"{{%- if ns.first -%}}{_write(form.user.after)}{{%- endif -%}}"] if joined else []),
        "{%- set ns.first = false -%}",
        f"{{{{- {_jinja(form.assistant.before)} if loop.index0 < ns.asked "
        f"else {_jinja(form.answer_opening)} -}}}}",
        f"{{{{- {_jinja(form.lead)} + {said} + {_jinja(form.assistant.after)} -}}}}",
        "{%- endif -%}",
        "{%- endfor -%}",
        f"{{%- if add_generation_prompt -%}}{_write(form.answer_opening)}{{%- endif -%}}",
    ]
    return "\n".join(lines)


def go_template(form: ChatFormat) -> str:
    """The template for Ollama; the system prompt is given to it as ``.System``."""
    user = _go(form.user.before)
    opening = ""
    if form.system is not None:
        opening = f"{_go(form.system.before)}{{{{ .System }}}}{_go(form.system.after)}"
        if form.joined:
            opening += "{{ $first := true }}"
            user = f"{{{{ if not $first }}}}{user}{{{{ end }}}}{{{{ $first = false }}}}"
    assistant = f"{_go(form.assistant.before + form.lead)}{{{{ .Content }}}}{_go(form.assistant.after)}"
    return (
        f'{opening}{{{{ range .Messages }}}}{{{{ if eq .Role "user" }}}}'
        f"{user}{{{{ .Content }}}}{_go(form.user.after)}"
        f'{{{{ else if eq .Role "assistant" }}}}{assistant}{{{{ end }}}}{{{{ end }}}}'
        f"{_go(form.answer_opening)}"
    )


def _turn_markers(form: ChatFormat) -> list[str]:
    """The markers that a turn of this format is really opened or closed with."""
    turns = [turn for turn in (form.system, form.user, form.assistant) if turn is not None]
    literals = [text for turn in turns for text in (turn.before, turn.after)] + [form.answer_opening]
    return [marker for marker in form.markers if any(marker in text for text in literals)]


def _jinja(text: str) -> str:
    """A Jinja string: its escapes are those of JSON, but for the ones of single characters."""
    return json.dumps(text, ensure_ascii=False)


def _write(text: str) -> str:
    return f"{{{{- {_jinja(text)} -}}}}"


def _go(text: str) -> str:
    if "{{" in text or '"""' in text:
        raise RunError(f"a turn with {text!r} cannot be written into a Modelfile; export another target")
    return text
