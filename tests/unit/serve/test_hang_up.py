"""Somebody closes the page: the model stops writing, through a real gateway and over real sockets."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

from smallhours.domain.settings import ServeSettings
from smallhours.serve.gateway.app import create_app
from smallhours.serve.recall import Recall
from tests.e2e.serving import serving
from tests.unit.fake_endpoint import Behaviour, drips, notes_silence
from tests.unit.serve.test_faults import NEAR, assistant_with


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("model", [drips(), notes_silence], ids=["writing", "thinking"])
def test_who_hangs_up_ends_the_generation_upstream(recall: Recall, model: Behaviour, stream: bool) -> None:
    with assistant_with(recall, model, total=30.0) as (assistant, fake):
        assistant.screen(NEAR)
        with serving(create_app(assistant, ServeSettings(), "test")) as url:
            body = {"messages": [{"role": "user", "content": NEAR.last_user_text}], "stream": stream}
            line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
            line.request(
                "POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"}
            )
            assert fake.started.wait(30)
            line.close()
            assert fake.hung_up.wait(5)
