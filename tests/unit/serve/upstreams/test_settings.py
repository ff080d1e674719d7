"""One setting puts other servers in the place of our own, and says what is wrong with it."""

from __future__ import annotations

import pytest

from smallhours.bootstrap.models import upstream_pool
from smallhours.domain.errors import SettingsError
from smallhours.domain.ports import ModelIdentity
from smallhours.domain.settings import UpstreamSettings, load_settings

OURS = ModelIdentity(base="b" * 64, adapter="a" * 64)


def test_one_variable_is_enough_and_may_name_several() -> None:
    settings = load_settings(None, {"SMALLHOURS_UPSTREAM_URL": "http://gpu1:8000/v1, http://gpu2:8000/v1"})
    pool = upstream_pool(settings.upstream, settings.upstream.url or "", "Be kind.", OURS)
    assert [one.name for one in pool.health()] == ["gpu1:8000", "gpu2:8000"]


def test_the_name_with_the_hash_says_whose_weights_answer_and_another_one_does_not() -> None:
    def identity(model: str | None) -> ModelIdentity:
        url = "http://gpu1:8000/v1"
        return upstream_pool(UpstreamSettings(url=url, model=model), url, "", OURS).identity

    assert identity(None) == OURS
    assert identity("llama-3") == ModelIdentity(base="llama-3 at gpu1")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (" , ", "upstream.url: no address"),
        ("gpu1:8000", "upstream.url: write it like"),
        ("http://me:secret@gpu1/v1", "without user, password"),
    ],
)
def test_an_address_that_is_none_is_one_clear_error_without_what_it_hid(url: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        upstream_pool(UpstreamSettings(url=url), url, "", OURS)
    assert "secret" not in str(caught.value)


def test_a_key_is_named_by_its_variable() -> None:
    settings = UpstreamSettings(url="http://gpu1/v1", key_variable="NO_SUCH_KEY")
    with pytest.raises(SettingsError, match=r"upstream\.key_variable: the variable it names is not set"):
        upstream_pool(settings, settings.url or "", "", OURS)
