"""What is written down about a request, and that nothing anybody wrote can be in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from smallhours.domain.settings import GatewaySettings, ServeSettings
from smallhours.serve.gateway.app import Parts, create_app
from smallhours.serve.gateway.observe import LOGGER, Wordless, log_json
from tests.unit.serve.conftest import Build

SECRET = "grandfather's cellar"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    loggers = [LOGGER, logging.getLogger("uvicorn.error")]
    before = [(one, one.handlers, one.propagate, one.level) for one in loggers]
    log_json(stream)
    yield stream
    for one, handlers, propagate, level in before:
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def gateway(build: Build, **parts: Any) -> TestClient:
    app = create_app(build(), ServeSettings(), "smallhours-test", Parts(gateway=GatewaySettings(), **parts))
    return TestClient(app, raise_server_exceptions=False)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_says_what_happened_and_none_of_the_words(build: Build, log: io.StringIO) -> None:
    here = gateway(build)
    here.post(
        "/v1/chat/completions", json={"messages": [{"role": "user", "content": SECRET}], "model": SECRET}
    )
    here.get(f"/{SECRET}?q={SECRET}", headers={"x-request-id": SECRET, "user-agent": SECRET})
    here.request(SECRET.replace(" ", "-").replace("'", ""), "/")
    assert SECRET not in log.getvalue() and "cellar" not in log.getvalue().lower()
    assert "cellar" not in here.get("/metrics").text.lower()
    found = lines(log)
    assert [(e["route"], e["status"]) for e in found[:2]] == [("/v1/chat/completions", 200), ("other", 404)]
    assert set(found[0]) == {
        "time",
        "level",
        "logger",
        "request",
        "method",
        "route",
        "status",
        "milliseconds",
    }


def test_an_error_is_told_by_its_kind_and_place_alone(log: io.StringIO) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("uvicorn.error").exception(f"went wrong with {SECRET}: %s", SECRET)
    assert SECRET not in log.getvalue()
    (line,) = lines(log)
    assert line["error"] == "ValueError" and line["where"][0].startswith("test_observe.py:")


def test_the_plain_log_has_no_words_either() -> None:
    stream = io.StringIO()
    logger = logging.Logger("plain")
    logger.addHandler(logging.StreamHandler(stream))
    logger.addFilter(Wordless())
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("Exception in ASGI application\n")
    assert SECRET not in stream.getvalue() and "ValueError at test_observe.py:" in stream.getvalue()


@pytest.mark.parametrize("given", ["0" * 32, "123e4567-e89b-42d3-a456-426614174000"])
def test_a_request_keeps_its_number_if_it_says_nothing(build: Build, given: str) -> None:
    here = gateway(build)
    assert here.get("/livez", headers={"x-request-id": given}).headers["x-request-id"] == given
    assert here.get("/livez", headers={"x-request-id": SECRET}).headers["x-request-id"] != SECRET


def test_a_span_has_the_route_and_the_status() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from smallhours.serve.gateway.metrics import Metrics
    from smallhours.serve.gateway.observe import Observed

    kept = export.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("t")

    @contextmanager
    def span(name: str) -> Iterator[Any]:
        with tracer.start_as_current_span(name) as one:
            yield one

    app = Starlette(routes=[Route("/x/{name}", lambda _: PlainTextResponse("ok"))])
    app.add_middleware(Observed, metrics=Metrics(), span=span)
    TestClient(app).get(f"/x/{SECRET}")
    (one,) = kept.get_finished_spans()
    assert one.attributes["http.response.status_code"] == 200 and SECRET not in str(one.to_json())
