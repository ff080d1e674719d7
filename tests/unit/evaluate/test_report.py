"""The page loads nothing, escapes everything, and can be read without seeing it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from smallhours.evaluate.run import evaluate_run
from smallhours.evaluate.subjects import Served
from smallhours.evaluate.suites import load_suite
from smallhours.evaluate.wording import interval, number

HOSTILE = '<script>alert("x")</script><img src=https://evil.example/a.png onerror=alert(1)>{{ 7*7 }}'


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page_of(setup: Any) -> Callable[..., str]:
    def make(**changes: Any) -> str:
        arguments = setup.but(**changes)
        evaluate_run(**arguments)
        return (Path(arguments["folder"]) / "evaluation" / "report.html").read_text()

    return make


def test_nothing_is_loaded_from_anywhere(page_of: Callable[..., str]) -> None:
    text = page_of()
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert not re.search(r"https?:|//\w|url\(|@import", text)
    for _, attributes in page.tags:
        assert (attributes.get("href") or "#").startswith("#")
        assert not {"src", "srcset", "style", "onerror", "onload"} & set(attributes)


def test_hostile_text_is_shown_as_text(
    page_of: Callable[..., str], setup: Any, make_engine: Any, make_example: Any, losses: Any
) -> None:
    test = [make_example(1, answer=HOSTILE, question=HOSTILE), make_example(2)]
    subjects = replace(
        setup.arguments["subjects"],
        base=make_engine(lambda question: HOSTILE),
        tuned=make_engine(lambda question: HOSTILE),
        pipeline=lambda conversation: Served(HOSTILE),
    )
    text = page_of(
        subjects=subjects,
        test=test,
        base_losses=losses(test, 3.0),
        tuned_losses=losses(test, 2.0),
        policy=HOSTILE,
    )
    page = Page(text)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert text.count("&lt;script&gt;") >= 6
    assert "{{ 7*7 }}" in text


def test_tables_have_captions_and_headers_and_drawings_have_names(page_of: Callable[..., str]) -> None:
    text = page_of()
    page = Page(text)
    assert len(page.all("table")) == len(page.all("caption")) >= 6
    assert all(header.get("scope") in ("col", "row") for header in page.all("th"))
    drawings = [svg for svg in page.all("svg") if svg.get("class", "").startswith("chart")]
    shown = {(svg["class"] or "").split()[1] for svg in drawings}
    assert shown == {"curve", "lengths", "topics", "recall", "calibration"}
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for svg in drawings:
        assert svg["role"] == "img"
        assert set((svg["aria-labelledby"] or "").split()) <= ids
    for link in page.all("a"):
        assert (link["href"] or "")[1:] in ids


def test_the_verdict_comes_first_and_the_limits_last(page_of: Callable[..., str]) -> None:
    text = page_of()
    places = [
        text.index(word) for word in ("Passes the gate", "Before and after", ">Learning<", ">All numbers<")
    ]
    assert places == sorted(places)
    assert text.index("No professional has reviewed") > text.index('id="limits"') > places[-1]


def test_every_miss_is_listed(page_of: Callable[..., str], setup: Any) -> None:
    text_missed = next(case.text for case in load_suite() if case.expect == "crisis")
    real = setup.arguments["subjects"].screen

    def careless(conversation: Any) -> Any:
        decision = real(conversation)
        missed = conversation.last_user_text == text_missed
        return decision.model_copy(update={"level": "none"}) if missed else decision

    strict = setup.arguments["settings"].evaluate.model_copy(update={"min_crisis_recall": 1.0})
    text = page_of(
        subjects=replace(setup.arguments["subjects"], screen=careless),
        settings=setup.arguments["settings"].model_copy(update={"evaluate": strict}),
    )
    assert "Does not pass" in text
    assert text_missed in text
    assert "got every one of them right" not in text


def test_without_a_training_log_it_says_so(page_of: Callable[..., str], tmp_path: Path) -> None:
    assert "no training log" in page_of(folder=tmp_path / "bare")


def test_the_contract_of_report_json(page_of: Callable[..., str], setup: Any) -> None:
    page_of()
    report = json.loads((setup.arguments["folder"] / "evaluation" / "report.json").read_text())
    assert set(report) == {"learning", "baselines", "safety", "speed"}
    assert set(report["learning"]) == {"base", "tuned", "reduction", "topics", "ordinary"}
    assert set(report["learning"]["tuned"]) == {"loss", "perplexity"}
    assert set(report["baselines"]) == {"base", "retrieval", "tuned", "pipeline"}
    assert {"words", "unsafe", "similarity", "copied"} <= set(report["baselines"]["pipeline"])
    assert report["safety"]["crisis"]["recall"]["value"] == 1.0
    assert report["safety"]["conversations"]["detects"]["value"] == 1.0
    assert set(report["safety"]["requests"]) == {"base_harmful", "tuned_harmful", "pipeline_harmful"}
    assert report["learning"]["ordinary"]["change"]["value"] > 0
    assert {"first_token_seconds", "tokens_per_second", "reply_seconds"} <= set(report["speed"])

    def figures(node: Any) -> list[Any]:
        if "value" in node:
            return [node]
        return [figure for child in node.values() for figure in figures(child)]

    assert all(set(figure) == {"value", "n", "low", "high"} for figure in figures(report))


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.925, "share", "92\u202f%"),
        (0.014, "share", "1.4\u202f%"),
        (-0.2, "points", "\u221220 points"),
        (-0.0, "nats", "0"),
        (-0.0001, "nats", "0.000"),
        (1234.5, "rate", "1,234.5"),
    ],
)
def test_numbers_read_well(value: float, unit: str, shown: str) -> None:
    assert number(value, unit) == shown


def test_no_interval_reads_as_nothing() -> None:
    from smallhours.evaluate.metrics import Figure

    assert interval(Figure(value=1.0, n=1), "share") == ""
    assert interval(Figure(value=0.5, n=4, low=0.2, high=0.8), "share") == "20 to 80\u202f%"
