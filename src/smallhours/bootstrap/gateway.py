"""The gateway in its process or processes: who may come in, what is remembered, how the sockets behave."""

from __future__ import annotations

import logging
import os
import resource
import secrets
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallhours.bootstrap import remembering
from smallhours.domain.errors import DataError, SettingsError
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from smallhours.domain.reviewing import ReviewRoom
    from smallhours.serve.gateway.api_keys import ApiKeys
    from smallhours.serve.gateway.app import Parts

# How a parent hands its settings, and what signs sessions, to its workers.
WORKER_SETTINGS, SESSION_SECRET = "SMALLHOURS_WORKER_SETTINGS", "SMALLHOURS_SESSION_SECRET"
_SECRET_BYTES = 32


def api_keys(settings: Settings) -> ApiKeys:
    """The API keys' file."""
    from smallhours.serve.gateway.api_keys import ApiKeys

    return ApiKeys(settings.gateway.keys_file or settings.runs / "keys.json")


def gateway_parts(settings: Settings) -> Parts:
    """What the settings add to a gateway.

    Raises:
        SettingsError: something that is asked for is not installed.
        InputError: the file of keys cannot be understood, or there are no pairs to review.
    """
    from smallhours.bootstrap.safety import sentence_vectors
    from smallhours.serve.gateway.app import Parts

    keys = api_keys(settings)
    keys.all()
    if settings.gateway.redis:
        _require("redis", "gateway.redis", "scale")
    if settings.memory.url.startswith("postgresql"):
        _require("asyncpg", "memory.url", "postgres")
    span = None
    if settings.gateway.telemetry:
        from smallhours.serve.gateway.telemetry import spans

        span = spans(settings.gateway.telemetry)
    return Parts(
        gateway=settings.gateway,
        memory=settings.memory,
        keys=keys,
        open_memory=lambda: remembering.open_room(settings).memory,
        purge=remembering.purging(settings) if settings.memory.enabled else None,
        oversight=remembering.overseeing(settings) if settings.memory.enabled else None,
        reviews=_review_room(settings),
        session_secret=_session_secret(),
        encoder=sentence_vectors,
        span=span,
    )


def _review_room(settings: Settings) -> ReviewRoom | None:
    """The pairs that reviewers sign on the operator's page. Raises SettingsError if they cannot be."""
    pairs = settings.gateway.review_pairs
    if pairs is None:
        return None
    from smallhours.corpus.review.room import Room
    from smallhours.corpus.sources import Reading

    reading = Reading(settings.corpus.columns, settings.corpus.sheet)
    room = Room(pairs, settings.gateway.review_sign_offs, reading)
    try:
        room.check()
    except DataError as error:
        raise SettingsError([f"gateway.review_pairs: {problem}" for problem in error.problems]) from None
    return room


def _session_secret() -> bytes:
    """What the environment gives several workers or gateways together, else one that goes with the process.

    Raises SettingsError if it is too short to be a secret.
    """
    given = os.environ.get(SESSION_SECRET)
    if given is None:
        return secrets.token_bytes(_SECRET_BYTES)
    try:
        secret = bytes.fromhex(given)
    except ValueError:
        secret = b""
    if len(secret) < _SECRET_BYTES:
        raise SettingsError(
            f"{SESSION_SECRET}: needs {2 * _SECRET_BYTES} hexadecimal digits or more; 'openssl rand -hex "
            f"{_SECRET_BYTES}' makes them"
        )
    return secret


def _require(module: str, setting: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise SettingsError(f"{setting}: needs {module}; install it with: pip install 'smallhours[{extra}]'")


def _config(settings: Settings, app: Any, **more: Any) -> Any:
    import uvicorn

    from smallhours.serve.gateway.observe import Wordless, log_json

    gateway = settings.gateway
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(gateway.proxies),
        forwarded_allow_ips=gateway.proxies or None,
        h11_max_incomplete_event_size=gateway.max_header_bytes,
        ssl_certfile=gateway.tls_certificate,
        ssl_keyfile=gateway.tls_key,
        timeout_graceful_shutdown=gateway.drain_seconds,
        **more,
    )
    logging.getLogger("uvicorn.error").addFilter(Wordless())
    if gateway.log == "json":
        log_json()
    return config


def run_server(settings: Settings, app: FastAPI, bound: socket.socket) -> None:
    """Answer on a bound socket until a signal; replies that have begun are finished first."""
    import uvicorn

    from smallhours.serve.gateway.connections import protocol

    _allow_many_connections()
    http = protocol(settings.gateway.header_seconds, settings.gateway.max_waiting)
    uvicorn.Server(_config(settings, app, http=http, ws="none")).run(sockets=[bound])


def run_workers(settings: Settings, bound: socket.socket) -> None:
    """The same in several processes, each with an assistant of its own; one that dies is started again."""
    from uvicorn.supervisors import Multiprocess

    os.environ[WORKER_SETTINGS] = settings.model_dump_json()
    os.environ.setdefault(SESSION_SECRET, secrets.token_hex(_SECRET_BYTES))
    with tempfile.TemporaryDirectory(prefix="smallhours-metrics-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
        config = _config(
            settings,
            "smallhours.bootstrap.gateway:worker_app",
            factory=True,
            workers=settings.gateway.workers,
            http="smallhours.serve.gateway.connections:PatientProtocol",
            ws="none",
            # A worker answers its parent once its model is loaded.
            timeout_worker_healthcheck=120,
        )
        Multiprocess(config, sockets=[bound]).run()


def worker_app() -> FastAPI:
    """What each worker serves."""
    from smallhours.bootstrap import serving
    from smallhours.serve.gateway.connections import PatientProtocol
    from smallhours.serve.gateway.observe import Wordless, log_json

    settings = Settings.model_validate_json(os.environ[WORKER_SETTINGS])
    PatientProtocol.head_seconds = settings.gateway.header_seconds
    PatientProtocol.most_waiting = settings.gateway.max_waiting
    logging.getLogger("uvicorn.error").addFilter(Wordless())
    if settings.gateway.log == "json":
        log_json()
    _allow_many_connections()
    return serving.build_app(settings, serving.open_served(settings, lambda line: None))


def _allow_many_connections() -> None:
    """As many open files as this process may have: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def tls(settings: Settings) -> bool:
    """Whether it is HTTPS. Raises SettingsError if its files are not there."""
    files = (settings.gateway.tls_certificate, settings.gateway.tls_key)
    missing = [str(path) for path in files if path is not None and not Path(path).is_file()]
    if missing:
        raise SettingsError(f"{missing[0]}: no such file; TLS needs a certificate and its key as PEM files")
    return files[0] is not None
