"""``smallhours serve``."""

from __future__ import annotations

import socket
from pathlib import Path
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
@click.option("--workers", type=int, help="Processes; each loads the model.  [default: 1]")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM certificate, for HTTPS.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its private key.")
@with_settings(
    run="name",
    host="serve.host",
    port="serve.port",
    workers="gateway.workers",
    tls_cert="gateway.tls_certificate",
    tls_key="gateway.tls_key",
)
def command(settings: Settings) -> None:
    """Serve RUN: the chat at / and an OpenAI-compatible API under /v1.

    \b
    smallhours serve
    smallhours serve mine --port 8801
    smallhours serve --tls-cert cert.pem --tls-key key.pem
    """
    from smallhours.bootstrap import gateway, serving

    bound = serving.bind(settings.serve)
    if settings.gateway.workers > 1:
        _announce_address(settings, bound)
        gateway.run_workers(settings, bound)
        return
    serve(settings, serving.open_served(settings, announce), bound)


def serve(settings: Settings, assistant: Assistant, bound: socket.socket) -> None:
    """Answer on a bound socket until interrupted."""
    from smallhours.bootstrap import gateway, serving

    try:
        app = serving.build_app(settings, assistant)
        _announce_address(settings, bound)
        gateway.run_server(settings, app, bound)
    finally:
        assistant.close()


def _announce_address(settings: Settings, bound: socket.socket) -> None:
    from smallhours.bootstrap.gateway import tls

    host, port = bound.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    scheme = "https" if tls(settings) else "http"
    announce(f"chat: {scheme}://{shown}:{port}   (Ctrl-C to stop)")
