"""``smallhours serve``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from smallhours.cli.console import announce
from smallhours.cli.options import RUN, UNSAFE, with_settings
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.serve.assistant import Assistant


@click.command()
@RUN
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8800]")
@UNSAFE
@with_settings(run="name", host="serve.host", port="serve.port")
def command(settings: Settings, unsafe_skip_gate: bool) -> None:
    """Serve RUN: the chat at / and an OpenAI-compatible API under /v1.

    \b
    smallhours serve
    smallhours serve mine --port 8801
    """
    from smallhours.bootstrap import admission, serving

    bound = serving.bind(settings.serve)
    unsafe = unsafe_skip_gate and admission.admit(settings, announce, skip=True)
    serve(settings, serving.open_assistant(settings, unsafe=unsafe), bound, unsafe=unsafe)


def serve(settings: Settings, assistant: Assistant, bound: socket.socket, *, unsafe: bool = False) -> None:
    """Answer on a bound socket until interrupted; ``unsafe``: the page warns of the model."""
    import uvicorn

    from smallhours.bootstrap import serving

    app = serving.build_app(settings, assistant, unsafe=unsafe)
    host, port = bound.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    announce(f"chat: http://{shown}:{port}   (Ctrl-C to stop)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[bound])
