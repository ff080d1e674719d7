"""``smallhours serve``."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smallhours.cli.console import announce
from smallhours.cli.options import RUN, UNSAFE, with_settings
from smallhours.domain.errors import SettingsError
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
@UNSAFE
@with_settings(
    run="name",
    host="serve.host",
    port="serve.port",
    workers="gateway.workers",
    tls_cert="gateway.tls_certificate",
    tls_key="gateway.tls_key",
)
def command(settings: Settings, unsafe_skip_gate: bool) -> None:
    """Serve RUN: the chat at / and an OpenAI-compatible API under /v1.

    \b
    smallhours serve
    smallhours serve mine --port 8801
    smallhours serve --tls-cert cert.pem --tls-key key.pem
    """
    from smallhours.bootstrap import admission, gateway, serving

    if unsafe_skip_gate and settings.gateway.workers > 1:
        raise SettingsError("--unsafe-skip-gate: for research, in one process; leave --workers at 1")
    bound = serving.bind(settings.serve)
    unsafe = unsafe_skip_gate and admission.admit(settings, announce, skip=True)
    if settings.gateway.workers > 1:
        _announce_address(settings, bound)
        gateway.run_workers(settings, bound)
        return
    serve(settings, serving.open_served(settings, announce, unsafe=unsafe), bound, unsafe=unsafe)


def serve(settings: Settings, assistant: Assistant, bound: socket.socket, *, unsafe: bool = False) -> None:
    """Answer on a bound socket until interrupted; ``unsafe``: the page warns of the model."""
    from smallhours.bootstrap import gateway, serving

    try:
        app = serving.build_app(settings, assistant, unsafe=unsafe)
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
