"""``smallhours``: one file per command, each loaded only when it is called."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import click

from smallhours import __version__

# command -> what it does; the module is smallhours.cli.<command>, its entry the function `command`.
COMMANDS = {
    "run": "The whole pipeline, then the chat: the main job.",
    "init": "A new project folder with ten pairs to begin from.",
    "corpus": "Check, build, show and describe pairs.",
    "plan": "What this machine can train: time and memory of each base.",
    "train": "Fine-tune the base on a run's dataset.",
    "evaluate": "Measure a run; exit 1 when the gate says no.",
    "judge": "A language model's opinion of a run's answers, beside people's.",
    "rate": "Say which of two answers is better, not knowing whose they are.",
    "compare": "Put evaluated runs side by side.",
    "export": "Write the package that is served.",
    "chat": "Talk in the terminal, through the full pipeline.",
    "serve": "Web chat and API.",
    "keys": "API keys of the gateway: add, list, revoke.",
    "memory": "What is remembered: purge, rotate keys, show with a reason, audit.",
    "screen": "Risk of each text or conversation, no model needed.",
    "answer": "Batch answers through the pipeline.",
    "doctor": "Check the installation, the helplines' age, the machine and a run.",
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports one when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the pipeline."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for an unknown name, so that click reports it."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"smallhours.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="smallhours")
@click.pass_context
def main(context: click.Context) -> None:
    """Turn a small set of vetted question-and-answer pairs into a support assistant that knows its limits.

    \b
    Begin with:  smallhours run
    Your own:    smallhours init my-project

    Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 it broke.
    """
    from smallhours.cli.launched import require_shared

    require_shared(context.invoked_subcommand or "")


def entry(arguments: list[str] | None = None) -> None:
    """What the console script calls."""
    # Advice of other packages to their own users; ours could not follow it.
    warnings.filterwarnings("ignore", category=FutureWarning)
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code; every known error is one clear line on stderr."""
    from smallhours.cli.launched import is_main, tells_of_failure
    from smallhours.domain.errors import SmallhoursError

    try:
        outcome: Any = main(arguments, standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except SmallhoursError as error:
        if tells_of_failure():
            for line in str(error).splitlines():
                click.echo(f"error: {line}", err=True)
        return error.exit_code
    except click.ClickException as error:
        if tells_of_failure():
            error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        if is_main():
            click.echo(
                "\nstopped; finished stages are kept, training goes on from its last checkpoint", err=True
            )
        return 130
    except BrokenPipeError:
        return 3
    except MemoryError:
        click.echo("error: out of memory; close other programs or lower train.batch_size", err=True)
        return 3
