"""Write the pages that are made from the code: settings, commands, and what each guard does not see.

    python scripts/reference.py            write them
    python scripts/reference.py --check    exit 1 and name the page that is out of date

``make docs`` writes them, a test checks them: a setting or a flag cannot change without its page.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from smallhours.cli.main import main as command_line
from smallhours.domain.settings import SYSTEM_PROMPT, Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SOURCES = ROOT / "src" / "smallhours"

SETTINGS_HEAD = """\
# Settings

Every setting, with its default. This page is made from `smallhours.domain.settings`; do not edit it.

A setting can be given in three places. A later one wins:

| where | how | for example |
| --- | --- | --- |
| a TOML file | `--config FILE`, or its path in `SMALLHOURS_CONFIG` | `[train]`, below it `epochs = 2` |
| a variable | `SMALLHOURS_SECTION_KEY`; without a section `SMALLHOURS_KEY` | `SMALLHOURS_TRAIN_EPOCHS=2` |
| a flag | `--set KEY=VALUE`, any number of times; many have flags of their own | `--set train.epochs=2` |

A name that does not exist, and a value that is out of range, is an error before any work begins; all of them
are named at once. The settings of a run are written into its manifests.
"""
COMMANDS_HEAD = """\
# Commands

Every command with its flags. This page is made from the command line itself; do not edit it.

Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 it broke. `--help` after any command says the same.
"""
# A module's own words on what it misses; the order of the page.
NOT_SEEN = {
    "Crises": "safety/detectors/crisis.py",
    "Harm, abuse, illness": "safety/detectors/harm.py",
    "Limits of the role": "safety/detectors/scope.py",
    "The learned head": "safety/classifier.py",
    "The reader": "safety/reader.py",
    "Evidence that is added up": "safety/evidence.py",
    "Conversations": "safety/conversation.py",
    "Our own replies": "safety/detectors/reply.py",
    "Numbers and addresses in replies": "safety/detectors/contact.py",
    "Personal data": "safety/detectors/privacy.py",
}


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def shown(value: object) -> str:
    """A default as a configuration file has it."""
    if value is None or value == {}:
        return "not set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value == SYSTEM_PROMPT:
        return "below"
    return f"`{value}`" if value != "" else '`""`'


def allowed(field: FieldInfo) -> str:
    """What the value may be, as far as the field itself says."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    bounds: dict[str, Any] = {}
    for rule in field.metadata:
        bounds |= {name: getattr(rule, name) for name in ("gt", "ge", "lt", "le") if hasattr(rule, name)}
    signs = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}
    return " ".join(f"{sign} {bounds[name]}" for name, sign in signs.items() if name in bounds)


def settings_table(fields: Mapping[str, FieldInfo], section: str) -> Iterator[str]:
    """One row for each setting."""
    yield "| setting | meaning | default | allowed |"
    yield "| --- | --- | --- | --- |"
    for name, field in fields.items():
        key = f"{section}.{name}" if section else name
        meaning = cell(field.description or "")
        default = shown(field.get_default(call_default_factory=True))
        yield f"| `{key}` | {meaning} | {default} | {allowed(field)} |"


def settings_page() -> str:
    """``docs/configuration.md``."""
    sections: dict[str, type[BaseModel]] = {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    top = {name: field for name, field in Settings.model_fields.items() if name not in sections}
    lines = [SETTINGS_HEAD, "## The run", "", *settings_table(top, "")]
    for name, model in sections.items():
        lines += ["", f"## `[{name}]`", "", cleandoc(model.__doc__ or ""), ""]
        lines += settings_table(model.model_fields, name)
    lines += ["", "The default of `train.system_prompt`:", "", f"> {SYSTEM_PROMPT}", ""]
    return "\n".join(lines)


def help_text(command: click.Command) -> Iterator[str]:
    """The command's docstring; what click keeps as it stands (after ``\\b``) becomes a block of code."""
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        kept = paragraph.startswith("\b")
        yield from (["```", paragraph.lstrip("\b\n"), "```"] if kept else [" ".join(paragraph.split())])
        yield ""


def command_section(command: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    """A heading, the help, the flags; then the commands of a group."""
    path = context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield from ["", f"{'#' * depth} `{path}`", "", f"`{usage}`", "", *help_text(command)]
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
        if not record[0].endswith("--help")
    ]
    if records:
        yield from ["| flag | meaning |", "| --- | --- |"]
        yield from (f"| `{cell(flag)}` | {cell(meaning)} |" for flag, meaning in records)
    if isinstance(command, click.Group):
        yield from commands_of(command, context, depth + 1)


def commands_of(group: click.Group, context: click.Context, depth: int) -> Iterator[str]:
    """The sections of all commands of a group."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            yield from command_section(command, click.Context(command, context, name), depth)


def commands_page() -> str:
    """``docs/cli.md``."""
    context = click.Context(command_line, info_name="smallhours")
    return "\n".join([COMMANDS_HEAD.rstrip(), *commands_of(command_line, context, 2), ""])


def not_seen() -> str:
    """What each guard says of itself that it does not see."""
    lines = []
    for title, path in NOT_SEEN.items():
        told = ast.get_docstring(ast.parse((SOURCES / path).read_text(encoding="utf-8"))) or ""
        found = re.search(r"Not seen: (.+?)(?:\n\n|\Z)", told, re.DOTALL)
        if found is None:
            raise SystemExit(f"{path}: its docstring has no paragraph that begins with 'Not seen:'")
        words = re.sub(r"``?", "`", " ".join(found.group(1).split()))
        lines.append(f"- **{title}**: {words}")
    return "\n".join(lines)


def with_block(text: str, mark: str, block: str) -> str:
    """The text with ``block`` between ``<!-- mark -->`` and ``<!-- /mark -->``."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{block}\n\n{end}{rest.split(end)[1]}"


def pages() -> dict[Path, str]:
    """Each page as it should be."""
    safety = DOCS / "safety.md"
    return {
        DOCS / "configuration.md": settings_page(),
        DOCS / "cli.md": commands_page(),
        safety: with_block(safety.read_text(encoding="utf-8"), "not-seen", not_seen()),
    }


def out_of_date(wanted: Mapping[Path, str]) -> list[Path]:
    """The files whose text is not what it should be."""
    return [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` say which are out of date."""
    wanted = pages()
    stale = out_of_date(wanted)
    if arguments == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)}: out of date; run 'make docs'", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    print(f"pages made from the code: {len(wanted)}, {len(stale)} of them changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
