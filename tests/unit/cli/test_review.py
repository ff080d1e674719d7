"""``smallhours corpus review``, in the terminal and on its page."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from smallhours.cli.main import main, run
from smallhours.cli.review_page.app import create_page
from smallhours.corpus.review.ledger import read_ledger
from smallhours.corpus.review.session import Review
from smallhours.corpus.sources import read_pairs
from smallhours.domain.sign_offs import Verdict
from tests.unit.corpus.review_kit import ANA, BO, pair, review

TOKEN = "t0ken"
AS_ANA = ("--reviewer", "Ana Osei", "--credential", "clinical psychologist")
AS_BO = ("--reviewer", "Bo Li", "--credential", "GP")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(pair(n).model_dump_json() + "\n" for n in (1, 2, 3)))
    return path


def reviewed(data: Path, *arguments: str, keys: str = "") -> Result:
    return CliRunner().invoke(main, ["corpus", "review", str(data), *arguments], input=keys)


def verdicts(data: Path) -> list[tuple[str, str, str]]:
    found = read_ledger(data.with_name("pairs.jsonl.signoffs.jsonl")).sign_offs
    return [(one.pair, one.verdict.value, one.reason) for one in found]


def test_a_letter_for_each_pair_until_quit_and_later_the_rest(data: Path) -> None:
    first = reviewed(data, *AS_ANA, keys="a\nq\n")
    assert first.exit_code == 0 and "how do i get through night 2" in first.output
    assert "1 signed now, 2 still without your verdict" in first.output
    second = reviewed(data, *AS_ANA, keys="s\nr\nno warmth in it\n")
    assert "2 of 3 pairs to go through, 1 judged before" in second.output
    assert "night 1" not in second.output
    assert verdicts(data) == [("p1", "approve", ""), ("p3", "reject", "no warmth in it")]


def test_a_rejection_without_a_reason_is_asked_again(data: Path) -> None:
    told = reviewed(data, *AS_ANA, keys="r\n\na\nq\n").output
    assert "not recorded: a rejection needs a reason" in told
    assert verdicts(data) == [("p1", "approve", "")]


def test_others_are_told_after_ones_own_verdict(data: Path) -> None:
    reviewed(data, *AS_ANA, keys="r\nno warmth\nq\n")
    told = reviewed(data, *AS_BO, keys="a\nq\n").output
    assert told.index("your verdict") < told.index("Ana Osei (clinical psychologist) said reject: no warmth")


def test_an_edit_goes_through_the_editor_and_into_the_copy(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib\n"
        "p = pathlib.Path(sys.argv[1])\n"
        "p.write_text(p.read_text().replace('Rest a little.', 'Sit down for a moment.'))\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    reviewed(data, *AS_ANA, keys="e\nsofter\ns\na\n")
    assert verdicts(data) == [("p1", "edit", "softer"), ("p3", "approve", "")]
    told = reviewed(data, "--apply", str(tmp_path / "new.jsonl")).output
    assert "3 pairs, 1 with the edit proposed" in told and "unreviewed until somebody signs" in told
    assert read_pairs(tmp_path / "new.jsonl")[0].answer == "Sit down for a moment. Then call a friend."
    assert read_pairs(data)[0].answer == pair(1).answer


@pytest.mark.parametrize("made", ["", "pass\n", "raise SystemExit(1)\n"])
def test_an_edit_that_comes_to_nothing_is_not_recorded(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(made)
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    assert "not recorded" in reviewed(data, *AS_ANA, keys="e\nq\n").output
    assert verdicts(data) == []


def test_the_status_has_counts_kappa_and_disputes(data: Path) -> None:
    reviewed(data, *AS_ANA, keys="a\na\nr\ntoo long\n")
    reviewed(data, *AS_BO, keys="a\nr\ncold\nr\nlong\n")
    told = reviewed(data, "--status").output
    assert "approved 1 · edited 0 · rejected 1 · disputed 1" in told
    assert re.search(r"Ana Osei and Bo Li: 2 of 3 verdicts the same, kappa 0\.\d\d \(", told)
    assert "disputed: p2" in told and "Bo Li (GP): reject, cold" in told
    assert "p2" not in reviewed(data, "--status", "--reviewer", "Cleo", "--credential", "nurse").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--reviewer: is needed"),
        (["--reviewer", "Ana"], "--credential: is needed"),
        ([*AS_ANA, "--topic", "money"], "topics are grief, sleep"),
        (["--apply", "x.jsonl"], "no such file of sign-offs"),
    ],
)
def test_what_is_missing_is_named(
    data: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["corpus", "review", str(data), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert [p.name for p in data.parent.iterdir()] == ["pairs.jsonl"]


def test_too_few_signed_pairs_are_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["corpus", "build", "--reviewed-only"]) == 2
    assert "pairs are approved by a sign-off (" in capsys.readouterr().err
    assert not (tmp_path / "runs" / "default" / "dataset").exists()


# The page.


@pytest.fixture
def session(tmp_path: Path) -> Review:
    return review(tmp_path / "s.jsonl")


def opened(session: Review) -> TestClient:
    return TestClient(
        create_page(session, TOKEN), base_url="http://127.0.0.1:8123", raise_server_exceptions=False
    )


def hidden(page: str) -> str:
    found = re.search(r'name="text" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def post(client: TestClient, position: int, verdict: str, **fields: str):
    text = hidden(client.get(f"/{TOKEN}/review-{position}").text)
    form = {"text": text, "verdict": verdict, **{name.replace("_", "-"): v for name, v in fields.items()}}
    return client.post(f"/{TOKEN}/review-{position}", data=form)


def test_the_page_shows_a_pair_and_each_verdict_leads_to_the_next(session: Review) -> None:
    client = opened(session)
    page = client.get(f"/{TOKEN}/").text
    assert "how do i get through night 1" in page and "sleep" in page and "0 of 4 judged by you" in page
    page = post(client, 0, "approve").text
    assert "how do i get through night 2" in page and "Recorded: approve" in page
    page = post(client, 1, "reject", reason="no warmth").text
    assert "how do i get through night 3" in page
    asked = pair(3).question
    page = post(client, 2, "edit", message_0=asked, message_1="Kinder\r\nwords.", reason="").text
    assert "how do i get through night 4" in page
    assert "1 that you skipped" not in page
    assert "1 that you skipped still wait" in client.get(f"/{TOKEN}/review-after-3").text
    signed = read_ledger(session.file).sign_offs
    assert [one.verdict.value for one in signed] == ["approve", "reject", "edit"]
    assert signed[2].messages is not None and signed[2].messages[1].content == "Kinder\nwords."
    assert {one.reviewer for one in signed} == {ANA}


def test_the_page_keeps_others_verdicts_back_until_ones_own(session: Review, tmp_path: Path) -> None:
    review(session.file, BO).sign(0, Verdict.REJECT, "much too cold")
    client = opened(session)
    pages = ("review-0", "review-1?signed=0", "review-status")
    before = [client.get(f"/{TOKEN}/{page}").text for page in pages]
    assert not any("much too cold" in page for page in before)
    assert "Bo Li (GP) said reject: much too cold" in post(client, 0, "approve").text
    after = [client.get(f"/{TOKEN}/{page}").text for page in ("review-0", "review-status")]
    assert all("much too cold" in page for page in after)
    assert "Ana Osei" in after[1] and "0 of 1 verdicts the same, kappa 0.00" in after[1]


def test_the_page_refuses_what_the_terminal_refuses(session: Review) -> None:
    client = opened(session)
    refused = post(client, 0, "reject", reason=" ")
    assert refused.status_code == 422 and "a rejection needs a reason" in refused.text
    stale = client.post(f"/{TOKEN}/review-1", data={"text": "0" * 64, "verdict": "approve"})
    assert stale.status_code == 409
    assert client.get(f"/{TOKEN}/review-4").status_code == 404
    assert client.post(f"/{TOKEN}/review-0", content=b"text=\xff").status_code in (409, 422)
    assert client.post(f"/{TOKEN}/review-0", content=b"x" * (1 << 21)).status_code == 413
    assert not session.file.exists()


def test_a_broken_file_of_sign_offs_is_told_on_the_page(session: Review) -> None:
    session.file.write_text("{}\n")
    told = opened(session).get(f"/{TOKEN}/review-0")
    assert told.status_code == 422 and "line 1: cannot be read" in told.text


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 404),
        ("GET", "/wrong/review-0", {}, 404),
        ("GET", "//review-0", {}, 404),
        ("GET", f"/{TOKEN}/house/../app.py", {}, 404),
        ("GET", f"/{TOKEN}/review-0", {"host": "evil.example:8123"}, 403),
        ("GET", f"/{TOKEN}/review-0", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", f"/{TOKEN}/review-0", {"sec-fetch-site": "none"}, 200),
        ("POST", f"/{TOKEN}/review-0", {"sec-fetch-site": "cross-site"}, 403),
        ("POST", f"/{TOKEN}/review-0", {"sec-fetch-site": "none"}, 403),
        ("PUT", f"/{TOKEN}/review-0", {}, 405),
    ],
)
def test_only_the_page_itself_may_ask(
    session: Review, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert opened(session).request(method, path, headers=headers).status_code == status


def test_nothing_is_asked_of_third_parties_and_nothing_runs_from_the_text(tmp_path: Path) -> None:
    nasty = pair(1, "<script>alert(1)</script>\u202e <img src=https://evil.example/x>")
    session = Review([nasty], tmp_path / "s.jsonl", ANA)
    answer = opened(session).get(f"/{TOKEN}/review-0")
    assert "<script>alert" not in answer.text and "⟨U+202E⟩" in answer.text
    assert re.findall(r'(?:src|href|action)="(?!house/|review|#)[^"]*"', answer.text) == []
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert 'style="' not in answer.text and "onclick" not in answer.text


def test_every_field_has_a_label_and_every_verdict_a_key(session: Review) -> None:
    page = opened(session).get(f"/{TOKEN}/review-0").text
    fields = re.findall(r"<(?:textarea|progress|input)(?![^>]*hidden)[^>]*id=\"([^\"]+)\"", page)
    assert len(fields) == 6
    assert all(f'for="{field}"' in page for field in fields)
    assert sorted(re.findall(r'data-key="(.)"', page)) == ["a", "e", "r", "s"]
    for asset in re.findall(r'(?:src|href)="(house/[^"]+)"', page):
        assert opened(session).get(f"/{TOKEN}/{asset}").status_code == 200
