"""The language guess: good enough for a record."""

from __future__ import annotations

import pytest

from smallhours.safety.language import guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I do not know what to do", "en"),
        ("quiero hablar de mi vida", "es"),
        ("je ne sais pas quoi faire", "fr"),
        ("ich weiß nicht mehr weiter und bin müde", "de"),
        ("não sei o que fazer com a minha vida", "pt"),
        ("मैं बहुत उदास हूँ", "hi"),
        ("أنا حزين", "ar"),
        ("我很难过", "zh"),
        ("とても悲しいです", "ja"),
        ("мне очень грустно", "ru"),
        ("xyz", "en"),
        ("", "und"),
        ("123 !!!", "und"),
    ],
)
def test_guesses(text: str, language: str) -> None:
    assert guess_language(text) == language
