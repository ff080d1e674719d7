"""What the gateway needs from outside: a port, its keys, Redis, model servers elsewhere."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import urlopen

from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.domain.artifacts import read_manifest
from smallhours.domain.errors import ResourceError
from smallhours.domain.settings import Settings

PATIENCE = 2.0  # seconds for a server to answer


def port(settings: Settings) -> Iterator[Check]:
    """The address can be bound, or a gateway of ours is there already; TLS files are where they should be."""
    from smallhours.bootstrap.gateway import tls
    from smallhours.bootstrap.serving import bind

    secure, serve = tls(settings), settings.serve
    try:
        bind(serve).close()
    except ResourceError as problem:
        if is_gateway(serve.host, serve.port, secure):
            yield ok("port", f"{serve.host}:{serve.port}: a gateway answers there")
        else:
            said, _, remedy = str(problem).partition(". ")
            yield error("port", said, remedy)
        return
    yield ok("port", f"{serve.host}:{serve.port} is free{', HTTPS' if secure else ''}")


def is_gateway(host: str, number: int, secure: bool) -> bool:
    """Whether what listens there says that it is alive as our gateway does."""
    shown = f"[{host}]" if ":" in host else host
    # Only an answer is wanted from this machine, whoever signed its certificate.
    context = ssl._create_unverified_context() if secure else None  # noqa: S323
    try:
        address = f"http{'s' if secure else ''}://{shown}:{number}/livez"
        with urlopen(address, timeout=PATIENCE, context=context) as answer:  # noqa: S310
            return bool(json.loads(answer.read(200)) == {"status": "ok"})
    except (OSError, ValueError):
        return False


def api_keys(settings: Settings) -> Iterator[Check]:
    """The file of hashed keys can be read; without anonymous access there has to be one."""
    if find_spec("fastapi") is None:
        return  # said by the packages
    from smallhours.bootstrap.gateway import api_keys as opened

    known = len(opened(settings).all())
    if not known and not settings.gateway.anonymous:
        yield warning(
            "API keys",
            "none, and gateway.anonymous is false: only crises are answered",
            "smallhours keys add NAME",
        )
    else:
        yield ok("API keys", f"{known}; {'anyone' if settings.gateway.anonymous else 'nobody else'} may ask")


def redis(settings: Settings) -> Iterator[Check]:
    """The server of shared limits answers. Without it each gateway counts for itself."""
    url = settings.gateway.redis
    if not url:
        return
    if find_spec("redis") is None:
        yield error(
            "redis", "gateway.redis is set and redis is not installed", "pip install 'smallhours[scale]'"
        )
        return
    from redis import Redis
    from redis.exceptions import RedisError

    place = f"{urlsplit(url).hostname}:{urlsplit(url).port or 6379}"
    client = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    try:
        client.ping()
    except (RedisError, OSError) as problem:
        yield warning(
            "redis",
            f"{place} does not answer ({type(problem).__name__}); each gateway counts for itself",
            "start it, or correct gateway.redis",
        )
        return
    finally:
        client.close()
    yield ok("redis", f"{place} answers")


def upstream(settings: Settings) -> Iterator[Check]:
    """Every model server of the settings answers, and serves this run."""
    url = settings.upstream.url
    if not url:
        return
    from smallhours.bootstrap.models import upstream_pool
    from smallhours.export.run import package_identity

    manifest = read_manifest(settings.run_folder / "package")
    if manifest is None:
        yield warning(
            "upstream", "not asked: no run to compare it with", f"smallhours run --name {settings.name}"
        )
        return
    prompt = str(manifest.config["system_prompt"])
    away = upstream_pool(settings.upstream, url, prompt, package_identity(manifest)).check()
    if away:
        yield warning(
            "upstream",
            f"{len(away)} do not answer; until they do, vetted answers stand in",
            "start them, or correct upstream.url",
            away,
        )
    else:
        yield ok("upstream", f"{len(url.split(','))} answer and list this run's model")
