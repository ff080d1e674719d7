"""Rewordings by an endpoint, from the settings to the dataset: a real client, a real server in a thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from smallhours.bootstrap import models
from smallhours.corpus.asking import Asking
from smallhours.corpus.augment import Augmenter
from smallhours.corpus.build import build_dataset
from smallhours.corpus.judge import Judge
from smallhours.corpus.screening import Screen
from smallhours.domain.artifacts import Manifest
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import SettingsError
from smallhours.domain.messages import Conversation
from smallhours.domain.records import Example, read_examples
from smallhours.domain.risk import Action, Decision, RiskLevel
from smallhours.domain.settings import CorpusSettings, Settings
from smallhours.semantics.vectors import Encoder
from tests.unit.fake_endpoint import FakeEndpoint, Request, endpoint, hangs_up, says, sends

MakePair = Callable[..., Example]
KEY = "sk-very-secret"
ANSWERS = (
    "Rest awhile.", "Phone somebody.", "Drink water.", "Open windows.",
    "Walk outside.", "Sit up.", "Hum softly.", "Watch clouds.",
)  # fmt: skip
NONSENSE = says("I am sorry that you cannot sleep.")


def screen(conversation: Conversation) -> Decision:
    crisis = "done with living" in conversation.last_user_text
    level = RiskLevel.HIGH if crisis else RiskLevel.NONE
    return Decision(level=level, action=Action.ANSWER, score=0.0, language="en", policy="test")


def message_of(request: Request) -> str:
    found: str = json.loads(request["messages"][-1]["content"])["message"]
    return found


def reworded(request: Request) -> str:
    """Four wordings: one that loses the number, one that is a crisis, and two that are fine."""
    number = message_of(request).split()[-1]
    return json.dumps(
        [
            "what helps me get through the night",
            f"night {number} and im done with living",
            f"how can i get to the end of night {number}",
            f"is there a way through night {number}",
        ]
    )


class Bench:
    """Eight pairs on disk, and the corpus stage over them."""

    def __init__(self, folder: Path, vectors: Encoder, make_pair: MakePair) -> None:
        self._folder, self._vectors = folder, vectors
        self.run = folder / "run"
        self.write([make_pair(f"p{n}", f"how do i get through night {n}", a) for n, a in enumerate(ANSWERS)])

    def write(self, pairs: list[Example]) -> None:
        lines = (f"{pair.model_dump_json()}\n" for pair in pairs)
        (self._folder / "pairs.jsonl").write_text("".join(lines))

    def build(self, fake: FakeEndpoint, screen: Screen | None = screen, **corpus: object) -> Manifest:
        given = {
            "expansion": 3,
            "rewording_similarity_low": -1,
            "rewording_similarity_high": 1,
            "rewording_url": fake.url,
            "rewording_model": "llama",
            **corpus,
        }
        settings = Settings.model_validate({"data": self._folder / "pairs.jsonl", "corpus": given})
        return build_dataset(settings, self.run / "dataset", self._vectors, screen, models.open_rewriter)

    def train(self) -> list[Example]:
        return read_examples(self.run / "dataset" / "train.jsonl")

    def written(self) -> str:
        return "".join(path.read_text("utf-8") for path in self.run.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def _without_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has tests of its own, and its pictures take a second."""
    monkeypatch.setattr("smallhours.corpus.build.write_card", lambda *_: None)


@pytest.fixture
def bench(tmp_path: Path, bag_of_words: Encoder, make_pair: MakePair) -> Bench:
    return Bench(tmp_path, bag_of_words, make_pair)


def rewriter_of(manifest: Manifest) -> dict[str, object]:
    found: dict[str, object] = manifest.figures["expansion"]["rewriter"]
    return found


def test_what_the_endpoint_offers_comes_first_and_only_if_nothing_speaks_against_it(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake:
        manifest = bench.build(fake)
    train = bench.train()
    trained = sum(example.parent is None for example in train)
    assert len(train) == 3 * trained
    assert {example.rewording for example in train if example.parent} == {"endpoint"}
    for example in train:
        number = (example.parent or example.id).removeprefix("p")
        assert example.question.endswith(f"night {number}")
    assert sorted(map(message_of, fake.requests)) == sorted(e.question for e in train if e.parent is None)
    assert rewriter_of(manifest) == {
        "model": "llama",
        "host": "127.0.0.1",
        "asked": trained,
        "from_cache": 0,
        "nonsense": 0,
        "offered": 4 * trained,
        "kept": 2 * trained,
        "dropped": {"locked": trained, "risk": trained},
        "not_asked": {},
        "stopped": None,
    }


def test_a_wording_is_never_repeated_and_rules_fill_up(bench: Bench) -> None:
    with endpoint(says(lambda request: json.dumps([message_of(request).upper()] * 4))) as fake:
        manifest = bench.build(fake)
    train = bench.train()
    assert rewriter_of(manifest)["kept"] == 0
    assert rewriter_of(manifest)["dropped"] == {"repeated": 4 * len(fake.requests)}
    assert len(train) == 3 * len(fake.requests)
    assert len({example.question.casefold() for example in train}) == len(train)


def test_a_repeated_build_asks_nothing_and_gives_the_same_bytes(bench: Bench) -> None:
    replies = [says(reworded), NONSENSE, says(reworded)]
    with endpoint(*replies) as fake:
        first = bench.build(fake)
        asked = len(fake.requests)
        assert bench.build(fake) == first
        again = bench.build(fake, rewording_similarity_low=-0.99)
        assert len(fake.requests) == asked
    assert again.files["train.jsonl"] == first.files["train.jsonl"]
    assert again.fingerprint != first.fingerprint
    assert rewriter_of(again)["asked"] == 0 and rewriter_of(again)["from_cache"] == asked
    assert rewriter_of(first)["nonsense"] == 1


def test_what_is_kept_needs_no_endpoint_any_more(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake:
        first = bench.build(fake)
    (bench.run / "dataset" / "manifest.json").unlink()
    assert bench.build(fake).files == first.files


@pytest.mark.parametrize(
    ("trouble", "told", "asked"),
    [
        (hangs_up, "at question 3: llama at 127.0.0.1: it hung up", 3),
        (sends(500), "at question 3: llama at 127.0.0.1: HTTP 500", 3),
        (NONSENSE, "at question 5: the reply is not the JSON list", 5),
    ],
    ids=["hang-up", "500", "nonsense"],
)
def test_trouble_is_said_once_the_rest_is_by_rule_and_the_next_build_asks_again(
    bench: Bench, trouble: object, told: str, asked: int
) -> None:
    with endpoint(says(reworded), says(reworded), trouble) as fake:  # type: ignore[arg-type]
        manifest = bench.build(fake)
        assert rewriter_of(manifest)["asked"] == asked
        assert told in str(rewriter_of(manifest)["stopped"])
        assert sum(told in caution for caution in manifest.figures["cautions"]) == 1
        train = bench.train()
        originals = [example for example in train if example.parent is None]
        assert len(train) == 3 * len(originals)
        assert sum(example.rewording == "endpoint" for example in train) == 4

        fake.behaviours, fake.requests = [says(reworded)], []
        manifest = bench.build(fake)
        assert rewriter_of(manifest)["stopped"] is None
        assert len(fake.requests) == len(originals) - 2
        assert sum(example.rewording == "endpoint" for example in bench.train()) == 2 * len(originals)


def test_a_damaged_reply_on_disk_is_asked_for_again(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake:
        bench.build(fake)
        asked = len(fake.requests)
        one, other, *_ = sorted((bench.run / "rewordings").iterdir())
        one.write_text('["cut')
        other.write_text('{"not": "a list"}')
        bench.build(fake, rewording_similarity_low=-0.99)
        assert len(fake.requests) == asked + 2


def test_no_key_and_no_more_of_the_url_than_the_host_is_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_KEY", KEY)
    with endpoint(says(reworded)) as fake:
        manifest = bench.build(fake, rewording_key_variable="LLM_KEY")
        assert {headers["authorization"] for headers in fake.headers} == {f"Bearer {KEY}"}
    assert manifest.inputs["rewriter"] == "llama at 127.0.0.1"
    written = bench.written()
    assert written and not any(secret in written for secret in (KEY, "LLM_KEY", fake.url))


def test_a_key_that_is_missing_stops_the_build_and_leaves_nothing(bench: Bench) -> None:
    with (
        endpoint(says(reworded)) as fake,
        pytest.raises(SettingsError, match="rewording_key_variable") as caught,
    ):
        bench.build(fake, rewording_key_variable=KEY)
    assert KEY not in str(caught.value)
    assert not bench.run.exists() or not list(bench.run.iterdir())


def test_the_model_and_the_host_are_inputs_and_the_port_is_not(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake, endpoint(says(reworded)) as same_host:
        first = bench.build(fake)
        assert bench.build(same_host) == first
        assert bench.build(fake, rewording_model="other").fingerprint != first.fingerprint
        assert bench.build(fake, rewording_url=None).fingerprint != first.fingerprint


def test_a_language_that_cannot_be_judged_is_not_asked_about(bench: Bench, make_pair: MakePair) -> None:
    hindi = ("आराम कीजिए", "पानी पीजिए", "दोस्त से बोलिए", "खिड़की खोलें")
    bench.write([make_pair(f"h{n}", f"नींद नहीं आती {n}", a, locale="hi") for n, a in enumerate(hindi)])
    with endpoint(says(reworded)) as fake:
        manifest = bench.build(fake)
        assert fake.requests == []
    assert rewriter_of(manifest)["not_asked"] == {"language": manifest.figures["splits"]["train"]["pairs"]}


def test_a_crisis_is_sent_to_nobody(tmp_path: Path, bag_of_words: Encoder, make_pair: MakePair) -> None:
    judge = Judge(CorpusSettings(rewording_similarity_low=-1), bag_of_words, screen)
    with endpoint(says(reworded)) as fake:
        asking = Asking(models.open_rewriter, Endpoint(fake.url, "llama"), tmp_path, 4)
        augmenter = Augmenter(3, 1, judge, set(), asking)
        augmenter.expand(make_pair("x", "im done with living, how do i stop", "Call somebody."))
        asking.close()
        assert fake.requests == []
    assert augmenter.figures["rewriter"]["not_asked"] == {"crisis": 1}


def test_without_a_screen_nothing_is_sent(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake:
        manifest = bench.build(fake, screen=None)
        assert fake.requests == []
    assert manifest.figures["expansion"]["rewordings"] > 0


def test_it_is_off_unless_an_endpoint_is_named(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake:
        bench.build(fake, rewording_url=None)
        assert fake.requests == []
    assert not (bench.run / "rewordings").exists()


def test_an_endpoint_that_would_be_asked_nothing_is_an_error(bench: Bench) -> None:
    with endpoint(says(reworded)) as fake, pytest.raises(SettingsError, match="set it to 2 or more"):
        bench.build(fake, expansion=1)
