"""What the pages tell a reader to type is understood by the command line and the Makefile of today."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from smallhours.cli.main import main
from smallhours.cli.options import resolve
from smallhours.domain.errors import SettingsError
from smallhours.domain.settings import load_settings
from tests.unit.docs.pages import PAGES, ROOT, Command, blocks, commands, inline_code

TYPED = [command for page in PAGES for command in commands(page)]
_ASSIGNMENT = re.compile(r"^[A-Z_]+=")


def ours(command: Command) -> list[str] | None:
    """The arguments of ``smallhours``, however it is started; None for another program."""
    words = [word for word in command.words if not _ASSIGNMENT.match(word)]
    if words and (words[0] == "smallhours" or words[0].endswith("bin/smallhours")):
        return words[1:]
    if "-m" in words and words[words.index("-m") + 1 : words.index("-m") + 2] == ["smallhours"]:
        return words[words.index("-m") + 2 :]
    return None


def understand(arguments: list[str]) -> None:
    """Parse as the command line does, without doing anything.

    Raises:
        click.UsageError: an unknown command, flag or value.
        SettingsError: an unknown setting, or one out of range.
    """
    context = main.make_context("smallhours", list(arguments))
    group: click.Command = main
    rest = [*context.protected_args, *context.args]
    while isinstance(group, click.Group):
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
        group, rest = command, [*context.protected_args, *context.args]
    resolve(None, context.params.get("assignments", ()), {})


OURS = [command for command in TYPED if ours(command) is not None]
MAKE = [command for command in TYPED if command.words[0] == "make"]


def test_there_are_commands_to_check() -> None:
    assert len(OURS) > 40
    assert len(MAKE) > 5


@pytest.mark.parametrize("command", OURS, ids=str)
def test_the_command_line_understands(command: Command) -> None:
    understand(ours(command) or [])


@pytest.mark.parametrize(
    "arguments",
    [["trian"], ["train", "--fold", "5"], ["serve", "--port", "many"], ["train", "--set", "train.epoch=2"]],
    ids=" ".join,
)
def test_what_does_not_run_is_noticed(arguments: list[str]) -> None:
    with pytest.raises((click.UsageError, SettingsError)) as caught:
        understand(arguments)
    assert any(word in str(caught.value) for word in ("trian", "--fold", "many", "train.epoch"))


@pytest.mark.parametrize("command", MAKE, ids=str)
def test_make_knows_the_target_and_the_variables(command: Command) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in command.words[1:]:
        name, given, value = word.partition("=")
        pattern = rf"^{re.escape(name)} \?=" if given else rf"^{re.escape(name)}:"
        assert re.search(pattern, makefile, re.MULTILINE), f"{command}: the Makefile has no '{name}'"
        if name == "ARGS" and command.words[1] == "run":
            understand(["run", *shlex.split(value)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_passing_exist(page: Path) -> None:
    for code in inline_code(page):
        words = code.split()
        if (
            words[0] == "smallhours"
            and len(words) > 1
            and words[1] in main.list_commands(click.Context(main))
        ):
            understand_flags(code, words[1:])
        elif words[0] == "smallhours" and len(words) > 1:
            assert words[1].startswith(("-", "[", "COMMAND")), f"{page.name}: `{code}` is no command"


def understand_flags(code: str, words: list[str]) -> None:
    """Every flag that is mentioned belongs to the command; values and placeholders are not looked at."""
    group: click.Command = main
    context = click.Context(main)
    while isinstance(group, click.Group) and words and words[0] in group.list_commands(context):
        command = group.get_command(context, words.pop(0))
        assert command is not None
        group = command
    known = {flag for parameter in group.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    for flag in re.findall(r"--[a-z][a-z-]*", code):
        assert flag in known | {"--help"}, f"`{code}`: there is no {flag}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_in_toml_are_settings(page: Path, tmp_path: Path) -> None:
    for number, body in enumerate(blocks(page, "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(body, encoding="utf-8")
        assert tomllib.loads(body)
        load_settings(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_the_pages_is_python(page: Path) -> None:
    for body in blocks(page, "python"):
        compile(body, page.name, "exec")
