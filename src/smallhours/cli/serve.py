"""``smallhours serve``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from smallhours.cli.console import announce
from smallhours.cli.options import RUN, with_settings
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.serve.assistant import Assistant


@click.command()
@RUN
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8800]")
@with_settings(run="name", host="serve.host", port="serve.port")
def command(settings: Settings) -> None:
    """Serve RUN: the chat at / and an OpenAI-compatible API under /v1.

    \b
    smallhours serve
    smallhours serve mine --port 8801
    """
    from smallhours.bootstrap import serving

    bound = serving.bind(settings.serve)
    serve(settings, serving.open_served(settings, announce), bound)


def serve(settings: Settings, assistant: Assistant, bound: socket.socket) -> None:
    """Answer on a bound socket until interrupted."""
    import uvicorn

    from smallhours.bootstrap import serving

    app = serving.build_app(settings, assistant)
    host, port = bound.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    announce(f"chat: http://{shown}:{port}   (Ctrl-C to stop)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    try:
        uvicorn.Server(config).run(sockets=[bound])
    finally:
        assistant.close()
