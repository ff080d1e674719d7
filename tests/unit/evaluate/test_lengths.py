"""The bands' edges are half open: 20 words are medium, 40 are long."""

from __future__ import annotations

import pytest

from smallhours.evaluate.lengths import BANDS, band_of, distribution


@pytest.mark.parametrize(
    ("words", "band"),
    [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (39, 2), (40, 3), (400, 3)],
)
def test_edges(words: int, band: int) -> None:
    assert band_of(words) == band


def test_bands_say_their_edges_and_the_claims_add_up() -> None:
    assert [band.edges for band in BANDS] == ["[0, 10)", "[10, 20)", "[20, 40)", "[40, ∞)"]
    assert sum(band.claimed for band in BANDS) == pytest.approx(1)


def test_shares_add_up_to_one() -> None:
    shares = distribution(["word " * n for n in (3, 12, 20, 25, 80)])
    assert [share.value for share in shares] == [0.2, 0.2, 0.4, 0.2]
    assert {share.n for share in shares} == {5}
