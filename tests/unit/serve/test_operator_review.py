"""The review inside the operator's page: whose key opens it, as whom it signs, and that nothing else can."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from smallhours.bootstrap.gateway import gateway_parts
from smallhours.cli.main import run
from smallhours.corpus.review.ledger import read_ledger
from smallhours.corpus.review.room import Room
from smallhours.domain.errors import SettingsError
from smallhours.domain.settings import ServeSettings, load_settings
from smallhours.domain.sign_offs import Verdict
from smallhours.serve.gateway.api_keys import ApiKeys, Scope
from smallhours.serve.gateway.app import Parts, create_app
from tests.unit.corpus.review_kit import BO, pair, review
from tests.unit.serve.conftest import Build

GP = "GP, Leeds"


class Desk:
    """A gateway with three pairs to review, and somebody who is logged in."""

    def __init__(self, build: Build, folder: Path, scopes: tuple[Scope, ...], credential: str) -> None:
        self.data, self.file = folder / "pairs.jsonl", folder / "signed.jsonl"
        self.write(*(pair(n).model_dump_json() for n in (1, 2, 3)))
        self.keys = ApiKeys(folder / "keys.json")
        self.key, self.known = self.keys.add("Ana Osei", scopes, None, credential)
        parts = Parts(keys=self.keys, reviews=Room(str(self.data), self.file))
        app = create_app(build(), ServeSettings(), "smallhours-test", parts)
        self.browser = TestClient(app, follow_redirects=False)
        assert self.browser.post("/operator/login", data={"key": self.key}).status_code == 303

    def write(self, *lines: str) -> None:
        self.data.write_text("".join(f"{line}\n" for line in lines))

    def open(self, page: str) -> str:
        shown = self.browser.get(f"/operator/{page}")
        assert shown.status_code == 200, (shown.status_code, shown.headers)
        return unescape(re.sub(r"\s+", " ", shown.text))

    def judge(self, position: int, verdict: str, **fields: str) -> tuple[int, str, str]:
        """Sends the form of a pair, with ``fields`` in place of its own: status, where to go on, page."""
        page = self.open(f"review-{position}")
        hidden = dict(re.findall(r'type="hidden" name="(form|text)" value="(\w+)"', page))
        form = hidden | {"verdict": verdict} | {k.replace("_", "-"): v for k, v in fields.items()}
        sent = self.browser.post(f"/operator/review-{position}", data=form)
        return sent.status_code, sent.headers.get("location", ""), sent.text


Open = Callable[..., Desk]


@pytest.fixture
def desk(build: Build, tmp_path: Path) -> Open:
    return lambda *scopes, credential=GP: Desk(build, tmp_path, scopes or ("reviewer",), credential)


def test_a_reviewer_lands_at_the_next_pair_and_signs_with_the_name_of_the_key(desk: Open) -> None:
    here = desk()
    assert here.browser.get("/operator/").headers["location"] == "review"
    assert here.browser.get("/operator/review").headers["location"] == "review-0"
    assert "Signing as <strong>Ana Osei</strong>, GP, Leeds" in here.open("review-0")
    assert here.judge(0, "approve")[:2] == (303, "review-1?signed=0")
    assert "Recorded: approve" in here.open("review-1?signed=0")
    answer = {"message_0": pair(2).question, "message_1": "Kinder words.", "reason": "softer"}
    assert here.judge(1, "edit", **answer)[:2] == (303, "review-2?signed=1")
    assert here.judge(2, "reject", reason="no warmth")[:2] == (303, "review-done?signed=2")
    signed = read_ledger(here.file).sign_offs
    assert [(one.pair, one.verdict.value, one.reason) for one in signed] == [
        ("p1", "approve", ""),
        ("p2", "edit", "softer"),
        ("p3", "reject", "no warmth"),
    ]
    assert {str(one.reviewer) for one in signed} == {"Ana Osei (GP, Leeds)"}
    assert {one.api_key for one in signed} == {here.known.id}


def test_the_same_file_holds_what_the_command_signs(desk: Open) -> None:
    here = desk()
    review(here.file, BO, pairs=3).sign(0, Verdict.REJECT, "much too cold")
    assert "much too cold" not in here.open("review-0") + here.open("review-status")
    here.judge(0, "approve")
    assert "Bo Li (GP) said reject: much too cold" in here.open("review-0")
    lines = read_ledger(here.file).sign_offs
    assert [one.api_key for one in lines] == [None, here.known.id]
    assert lines[1].previous != lines[0].previous


def test_an_operator_sees_where_the_review_stands_and_signs_with_a_credential(desk: Open) -> None:
    here = desk("operator")
    page = here.open("")
    assert "3 pairs; reviewers, as their keys name them: nobody has signed anything yet" in page
    assert '<a href="review">Review pairs</a>' in page
    here.judge(0, "approve")
    assert "<dt>approved</dt><dd>1</dd>" in here.open("") and "Ana Osei (GP, Leeds), 1 judged" in here.open(
        ""
    )
    here.data.unlink()
    assert "It cannot be said now: " in here.open("")


def test_a_key_without_a_credential_signs_nothing(desk: Open) -> None:
    here = desk("operator", credential="")
    refused = here.browser.get("/operator/review")
    assert refused.status_code == 403 and "Your key says no credential" in refused.text
    form = re.findall(r'name="form" value="(\w+)"', refused.text)[0]
    sent = here.browser.post("/operator/review-0", data={"form": form, "verdict": "approve"})
    assert sent.status_code == 403 and not here.file.exists()


def test_a_reviewers_key_opens_no_report_and_nothing_else(desk: Open) -> None:
    here = desk()
    form = re.findall(r'name="form" value="(\w+)"', here.open("review-0"))[0]
    for path in ("conversation", "settle"):
        sent = here.browser.post(
            f"/operator/{path}", data={"form": form, "conversation": "x", "reason": "curious"}
        )
        assert sent.status_code == 403 and "for reviewing the pairs" in sent.text
    bearer = {"authorization": f"Bearer {here.key}"}
    assert here.browser.get("/metrics", headers=bearer).status_code in (401, 403)


@pytest.mark.parametrize("forged", [{"form": "0" * 64}, {"form": ""}, {"text": "0" * 64}])
def test_a_form_that_this_page_did_not_make_signs_nothing(desk: Open, forged: dict[str, str]) -> None:
    here = desk()
    assert here.judge(0, "approve", **forged)[0] in (403, 409)
    here.browser.headers["sec-fetch-site"] = "cross-site"
    assert here.judge(0, "approve")[0] == 403
    assert not here.file.exists()


def test_a_verdict_that_cannot_be_comes_back_with_what_was_typed(desk: Open) -> None:
    here = desk()
    status, _, page = here.judge(0, "reject", reason=" ")
    assert status == 422 and "a rejection needs a reason" in page
    assert here.browser.get("/operator/review-99").status_code == 404
    assert here.browser.get("/operator/review-" + "9" * 5000).status_code == 404
    here.file.write_text("{}\n")
    broken = here.browser.get("/operator/review-0")
    assert broken.status_code == 422 and "line 1: cannot be read" in broken.text


def test_pairs_that_change_while_the_server_runs_are_seen(desk: Open) -> None:
    here = desk()
    here.judge(0, "approve")
    here.write(pair(1, "Kinder words than before.").model_dump_json())
    page = here.open("review-0")
    assert "Kinder words than before." in page and "Its words have changed since somebody signed" in page
    here.data.unlink()
    away = here.browser.get("/operator/review-0")
    assert away.status_code == 503 and "no such file" in away.text


def test_a_key_that_is_revoked_signs_nothing_more(desk: Open) -> None:
    here = desk()
    here.keys.add("Bo Li", ("reviewer",), None, "GP")
    here.keys.revoke(here.known.id)
    assert here.browser.get("/operator/review").headers["location"] == "login"
    assert here.browser.post("/operator/review-0", data={"verdict": "approve"}).status_code == 401


def test_the_page_keeps_to_itself(desk: Open) -> None:
    answer = desk().browser.get("/operator/review-0")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert re.findall(r'(?:src|href|action)="(?!\.\./static/|review|logout|#)[^"]*"', answer.text) == []
    assert "Path" not in answer.headers["set-cookie"]  # as the operator's: it goes to /operator/ alone


def test_without_the_setting_there_is_nothing_to_review(build: Build, tmp_path: Path) -> None:
    keys = ApiKeys(tmp_path / "keys.json")
    key, _ = keys.add("Bo Li", ("reviewer",), None, "GP")
    app = create_app(build(), ServeSettings(), "smallhours-test", Parts(keys=keys))
    browser = TestClient(app, follow_redirects=False)
    assert browser.get("/operator/login").status_code == 404
    operator, _ = keys.add("Ana Osei", ("operator",), None)
    assert browser.post("/operator/login", data={"key": key}).status_code == 401
    assert browser.post("/operator/login", data={"key": operator}).status_code == 303
    assert browser.get("/operator/review").status_code == 404
    assert "gateway.review_pairs" in browser.get("/operator/").text


def test_the_settings_name_the_pairs_and_a_fault_is_told_at_the_start(tmp_path: Path) -> None:
    def room(**settings: str) -> object:
        return gateway_parts(load_settings(None, {}, {"runs": str(tmp_path), **settings})).reviews

    assert room() is None
    data = tmp_path / "pairs.jsonl"
    with pytest.raises(SettingsError, match=r"gateway\.review_pairs: .*no such file"):
        room(**{"gateway.review_pairs": str(data)})
    data.write_text(pair(1).model_dump_json() + "\n")
    assert room(**{"gateway.review_pairs": str(data)}) is not None
    with pytest.raises(SettingsError, match=r"the folder .* does not exist"):
        room(**{"gateway.review_pairs": str(data), "gateway.review_sign_offs": str(tmp_path / "no" / "s")})
    with pytest.raises(SettingsError, match=r"needs gateway\.review_pairs"):
        room(**{"gateway.review_sign_offs": "s.jsonl"})


def test_a_reviewers_key_needs_a_credential(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["keys", "add", "Bo Li", "--scopes", "reviewer", "--set", f"runs={tmp_path}"]
    assert run(asked) == 2 and "--credential: a reviewer's key needs it" in capsys.readouterr().err
    assert run([*asked, "--credential", "GP"]) == 0
    (key,) = ApiKeys(tmp_path / "keys.json").all()
    assert (key.name, key.credential, key.scopes) == ("Bo Li", "GP", ("reviewer",))
