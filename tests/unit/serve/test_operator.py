"""The operator's page: who may see it, what it counts, and that no look at a text goes unwritten."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram

from smallhours.bootstrap import remembering
from smallhours.bootstrap.gateway import SESSION_SECRET, gateway_parts
from smallhours.domain.errors import SettingsError
from smallhours.domain.oversight import Access
from smallhours.domain.risk import STALE_DAYS
from smallhours.domain.settings import ServeSettings, load_settings
from smallhours.safety.helplines import tables
from smallhours.serve.gateway import people
from smallhours.serve.gateway.api_keys import ApiKeys
from smallhours.serve.gateway.app import Parts, create_app
from smallhours.serve.gateway.operator.history import Counts, History
from smallhours.serve.gateway.operator.page import COOKIE
from smallhours.serve.gateway.operator.sessions import IDLE, LONGEST, Sessions
from smallhours.serve.gateway.rounds import Rounds
from tests.unit.serve.conftest import GOOD, Build
from tests.unit.serve.test_conversations import CRISIS, SLEEP, Person

SECRET = b"s" * 32
PATIENT = {"memory.timeout_seconds": 15}  # a busy machine is no fault of the page


@pytest.fixture
def keys(tmp_path: Path) -> ApiKeys:
    return ApiKeys(tmp_path / "keys.json")


class Office:
    """A gateway with memory, its keys, and somebody who runs it at a browser of theirs."""

    def __init__(self, build: Build, keys: ApiKeys, runs: Path, **settings: object) -> None:
        self.settings = load_settings(None, {}, {"runs": str(runs), **PATIENT, **settings})
        parts = Parts(
            gateway=self.settings.gateway,
            memory=self.settings.memory,
            keys=keys,
            open_memory=lambda: remembering.open_room(self.settings).memory,
            purge=remembering.purging(self.settings),
            oversight=remembering.overseeing(self.settings),
        )
        self.app = create_app(build([GOOD]), ServeSettings(), "smallhours-test", parts)
        self.browser = TestClient(self.app, follow_redirects=False)
        self.key, self.known = keys.add("Ana Osei", ("operator",), None)

    def log_in(self) -> None:
        assert self.browser.post("/operator/login", data={"key": self.key}).status_code == 303

    def page(self) -> str:
        shown = self.browser.get("/operator/")
        assert shown.status_code == 200, shown.headers
        return unescape(re.sub(r"\s+", " ", shown.text))

    def send(self, path: str, **fields: str) -> tuple[int, str]:
        """Sends a form with the session's own secret."""
        (form,) = set(re.findall(r'name="form" value="(\w+)"', self.page()))
        sent = self.browser.post(f"/operator/{path}", data={"form": form, **fields})
        return sent.status_code, unescape(sent.text)

    def looks(self) -> list[Access]:
        """What the operators' log holds."""

        async def read() -> list[Access]:
            room = remembering.open_room(self.settings)
            entries, broken = await room.audit.entries()
            await room.memory.close()
            assert broken is None
            return entries

        return asyncio.run(read())


Open = Callable[..., Office]


@pytest.fixture
def office(build: Build, keys: ApiKeys, tmp_path: Path) -> Iterator[Open]:
    opened: list[Office] = []

    def make(**settings: object) -> Office:
        one = Office(build, keys, tmp_path, **settings)
        one.browser.__enter__()
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.browser.__exit__(None, None, None)


def reporter(office: Office, fault: str = "hurtful") -> Person:
    """Somebody who had a conversation kept and asked to have it looked into."""
    person = Person(office.browser)
    person.say(office.browser, SLEEP)
    told = office.browser.post(f"{person.path}/report", json={"fault": fault}, headers=person.headers)
    assert told.status_code == 204
    return person


# The door


def test_there_is_no_page_until_a_key_for_it_exists_and_none_after_it_is_revoked(
    build: Build, keys: ApiKeys
) -> None:
    keys.add("app", ("chat", "metrics"), None)
    browser = TestClient(
        create_app(build(), ServeSettings(), "smallhours-test", Parts(keys=keys)), follow_redirects=False
    )
    paths = ("/operator", "/operator/", "/operator/login")
    assert [browser.get(path).status_code for path in paths] == [404, 404, 404]
    assert browser.post("/operator/login", data={"key": "sh_x_y"}).status_code == 404
    _, known = keys.add("Ana", ("operator",), None)  # a running gateway takes it over at once
    assert [browser.get(path).status_code for path in paths] == [303, 303, 200]
    keys.revoke(known.id)
    assert browser.get("/operator/").status_code == 404


def test_only_an_operators_key_opens_and_the_cookie_is_kept_from_scripts_and_other_sites(
    office: Open, keys: ApiKeys
) -> None:
    here = office()
    other, _ = keys.add("app", ("chat", "conversations", "metrics"), None)
    for wrong in ("", "sh_", "sk-x", other, here.key[:-1] + "?"):
        refused = here.browser.post("/operator/login", data={"key": wrong})
        assert refused.status_code == 401 and "set-cookie" not in refused.headers
        assert 'role="alert"' in refused.text and (len(wrong) < 9 or wrong not in refused.text)
    inside = here.browser.post("/operator/login", data={"key": here.key})
    cookie = inside.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and f"Max-Age={IDLE}" in cookie
    assert "Path" not in cookie and here.key not in cookie  # so it goes to /operator/ alone
    assert "Logged in as <strong>Ana Osei" in here.page()
    secure = TestClient(here.app, base_url="https://here", follow_redirects=False)
    assert "Secure" in secure.post("/operator/login", data={"key": here.key}).headers["set-cookie"]


def test_somebody_who_guesses_keys_is_stopped(office: Open) -> None:
    here = office()
    codes = [here.browser.post("/operator/login", data={"key": "sh_x_y"}).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


def test_a_form_from_elsewhere_does_nothing(office: Open) -> None:
    here = office()
    sent = here.browser.post(
        "/operator/login", data={"key": here.key}, headers={"sec-fetch-site": "cross-site"}
    )
    assert sent.status_code == 403 and "set-cookie" not in sent.headers
    here.log_in()
    person = reporter(here)
    asked = {"conversation": person.id, "reason": "curious"}
    for forged in ({}, {"form": ""}, {"form": "0" * 64}):
        assert here.browser.post("/operator/conversation", data=asked | forged).status_code == 403
    assert here.browser.post("/operator/logout").status_code == 403
    assert here.looks() == [] and "Logged in as" in here.page()


def test_logging_out_takes_the_cookie_away_and_without_it_nothing_is_shown(office: Open) -> None:
    here = office()
    here.log_in()
    assert here.send("logout")[0] == 303
    assert here.browser.cookies.get(COOKIE) is None
    assert here.browser.get("/operator/").headers["location"] == "login"
    over = here.browser.post("/operator/conversation", data={"conversation": "x", "reason": "y"})
    assert over.status_code == 401 and "session is over" in over.text


def test_the_workers_of_one_gateway_know_each_others_sessions_and_no_others(
    build: Build, keys: ApiKeys
) -> None:
    def worker(**secret: bytes) -> TestClient:
        parts = Parts(keys=keys, **secret)  # type: ignore[arg-type]
        app = create_app(build(), ServeSettings(), "smallhours-test", parts)
        return TestClient(app, follow_redirects=False)

    key, _ = keys.add("Ana", ("operator",), None)
    one, two, other = worker(session_secret=SECRET), worker(session_secret=SECRET), worker()
    one.post("/operator/login", data={"key": key})
    for browser in (two, other):
        browser.cookies.update(one.cookies)
    assert [browser.get("/operator/").status_code for browser in (one, two, other)] == [200, 200, 303]


@pytest.mark.parametrize("given", ["", "abc", "no hexadecimal digits" * 4, "ab" * 31])
def test_what_signs_sessions_cannot_be_guessed(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(None, {}, {"runs": str(tmp_path)})
    assert gateway_parts(settings).session_secret != gateway_parts(settings).session_secret
    monkeypatch.setenv(SESSION_SECRET, "ab" * 32)
    assert gateway_parts(settings).session_secret == b"\xab" * 32
    monkeypatch.setenv(SESSION_SECRET, given)
    with pytest.raises(SettingsError, match="openssl rand"):
        gateway_parts(settings)


def test_a_revoked_key_is_out_at_once(office: Open, keys: ApiKeys) -> None:
    here = office()
    keys.add("Bo", ("operator",), None)
    here.log_in()
    keys.revoke(here.known.id)
    assert here.browser.get("/operator/").headers["location"] == "login"


def test_a_session_ends_when_nothing_is_opened_and_in_any_case_after_a_shift(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 24, 2, tzinfo=UTC)]
    keys = ApiKeys(tmp_path / "keys.json", lambda: now[0])
    key, _ = keys.add("Ana", ("operator",), None)
    sessions = Sessions(keys, SECRET, lambda: now[0].timestamp())
    begun = sessions.begin(key)
    assert begun
    cookie, shift = sessions.cookie(begun), now[0] + timedelta(seconds=LONGEST)
    idle = Sessions(keys, SECRET, lambda: now[0].timestamp() + IDLE)
    assert idle.read(cookie) is None
    while (session := sessions.read(cookie)) is not None:
        cookie = sessions.cookie(session)
        now[0] += timedelta(minutes=29)
    assert shift <= now[0] <= shift + timedelta(minutes=29)
    assert sessions.read(cookie) is None
    another = Sessions(keys, b"t" * 32, lambda: now[0].timestamp())
    assert another.read(sessions.cookie(begun)) is None


@given(st.text(max_size=90))
def test_no_cookie_but_ours_is_a_session(cookie: str) -> None:
    assert Sessions(ApiKeys(Path("/nonexistent/keys.json")), SECRET).read(cookie) is None


# What it shows


def test_the_page_counts_and_says_nothing_that_anybody_wrote(office: Open) -> None:
    here = office()
    here.log_in()
    for text in (SLEEP, CRISIS):
        ask = {"messages": [{"role": "user", "content": text}]}
        assert here.browser.post("/v1/chat/completions", json=ask).status_code == 200
    here.browser.post("/v1/feedback", json={"source": "crisis", "verdict": "helpful"})
    page = here.page()
    assert '<th scope="row">suicide</th><td>1</td><td>1</td><td>1</td>' in page
    crises = sum(int(n) for n in re.findall(r'"row">(?:elevated|high|imminent)</th><td>(\d)', page))
    assert crises == 1
    assert '<th scope="row">helpful</th><td>1</td>' in page
    assert '<th scope="row">/v1/chat/completions</th><td>2</td><td>0</td><td>0</td><td>0</td>' in page
    assert SLEEP not in page and CRISIS not in page and GOOD not in page
    assert "a restart begins again at zero" in page


def test_it_names_versions_and_how_each_part_is(office: Open) -> None:
    here = office()
    here.log_in()
    page = here.page()
    for said in ("produces a token", "nobody has agreed to be remembered yet", "in this process", "one of 1"):
        assert said in page
    assert "<code>smallhours-test</code>" in page and "<code>grounded</code>" in page
    assert "smallhours corpus review" in page
    assert not (here.settings.runs / "memory").exists()  # looking makes no database


def test_a_database_and_a_redis_that_are_away_are_said_to_be(office: Open, tmp_path: Path) -> None:
    here = office(**{"gateway.redis": "redis://127.0.0.1:1/0"})
    here.log_in()
    reporter(here)
    assert '<span class="state ok">works</span> <div><h3>Database' in here.page()
    (tmp_path / "memory" / "memory.db").rename(tmp_path / "moved.db")
    page = here.page()
    assert "the file is gone" in page and "It cannot be said now" in page
    assert "Redis does not answer" in page


def test_a_gateway_without_memory_has_nothing_to_report(office: Open) -> None:
    here = office(**{"memory.enabled": False})
    here.log_in()
    assert "this server remembers no conversation" in here.page()
    assert here.send("conversation", conversation="x", reason="y")[0] == 404


def test_numbers_older_than_half_a_year_are_due_the_oldest_first() -> None:
    assert people.due(people.last_checked() + timedelta(days=STALE_DAYS)) == []
    all_old = people.due(datetime(2036, 1, 1, tzinfo=UTC).date())
    assert len(all_old) == sum(len(country.resources) for country in tables().values())
    assert [one.checked for one in all_old] == sorted(one.checked for one in all_old)


# Reports


def test_a_reported_conversation_opens_with_a_reason_that_is_written_down(office: Open) -> None:
    here = office()
    here.log_in()
    person = reporter(here)
    page = here.page()
    assert "hurtful" in page and person.id[:8] in page and SLEEP not in page
    status, shown = here.send("conversation", conversation=person.id, reason="what was hurtful?")
    assert status == 200 and SLEEP in shown and GOOD in shown
    (look,) = here.looks()
    assert (look.operator, look.action) == (f"Ana Osei (key {here.known.id})", "open")
    assert (look.conversation, look.reason) == (person.id, "what was hurtful?")
    assert "what was hurtful?" in here.page()  # and everybody who runs the service can see it


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_nothing_is_opened(office: Open, reason: str) -> None:
    here = office()
    here.log_in()
    person = reporter(here)
    status, shown = here.send("conversation", conversation=person.id, reason=reason)
    assert status == 422 and SLEEP not in shown and here.looks() == []


def test_what_nobody_reported_stays_closed_and_the_attempt_is_written_down(office: Open) -> None:
    here = office()
    here.log_in()
    person = Person(here.browser)
    person.say(here.browser, SLEEP)
    assert person.id[:8] not in here.page()
    status, shown = here.send("conversation", conversation=person.id, reason="curious")
    assert status == 404 and SLEEP not in shown
    assert [(look.action, look.conversation) for look in here.looks()] == [("open", person.id)]


def test_without_the_persons_token_nothing_can_be_reported(office: Open) -> None:
    here = office()
    person = Person(here.browser)
    for headers, body, status in (
        ({}, {"fault": "wrong"}, 404),
        ({"smallhours-token": "x"}, {"fault": "wrong"}, 404),
        (person.headers, {"fault": "my name is Ann"}, 422),
        (person.headers, {"fault": "wrong", "text": "what I wrote"}, 422),
    ):
        assert here.browser.post(f"{person.path}/report", json=body, headers=headers).status_code == status
    here.log_in()
    assert person.id[:8] not in here.page()


def test_what_was_looked_into_goes_off_the_list_and_is_closed_again(office: Open) -> None:
    here = office()
    here.log_in()
    person = reporter(here)
    assert here.send("settle", conversation=person.id, reason="reworded the answer")[0] == 303
    assert f'value="{person.id}"' not in here.page()
    assert here.send("conversation", conversation=person.id, reason="again")[0] == 404
    assert [look.action for look in here.looks()] == ["settle", "open"]
    assert person.sees(here.browser) == [SLEEP, GOOD]  # the person's own conversation stays


def test_a_person_who_deletes_their_conversation_takes_the_report_along(office: Open) -> None:
    here = office()
    here.log_in()
    person = reporter(here)
    here.browser.delete(person.path, headers=person.headers)
    assert here.send("conversation", conversation=person.id, reason="too late")[0] == 404
    assert "None." in here.page()


def test_what_a_person_wrote_cannot_act_in_the_page(office: Open) -> None:
    here = office()
    here.log_in()
    person = Person(here.browser)
    person.say(here.browser, "<script>alert(1)</script> i cannot sleep")
    here.browser.post(f"{person.path}/report", json={"fault": "other"}, headers=person.headers)
    form = re.findall(r'name="form" value="(\w+)"', here.browser.get("/operator/").text)[0]
    asked = {"form": form, "conversation": person.id, "reason": "<b>why</b>"}
    shown = here.browser.post("/operator/conversation", data=asked)
    assert "&lt;script&gt;" in shown.text and "<script" not in shown.text
    assert "script-src 'self'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    assert "<b>why" not in here.browser.get("/operator/").text


# Counting over time


def test_what_happened_when_is_the_growth_of_counters() -> None:
    now, registry = [datetime(2026, 11, 24, 2, 30, tzinfo=UTC).timestamp()], CollectorRegistry()
    replies = Counter("replies", "", ["level"], registry=registry)
    replies.labels("none").inc(5)  # before this process looked
    history = History(lambda: registry, lambda: now[0])
    replies.labels("none").inc(2)
    now[0] += 1800
    history.keep()
    replies.labels("high").inc()
    grown = history.last(1), history.last(24)
    assert [one.by("replies_total", "level") for one in grown] == [
        {("high",): 1},
        {("high",): 1, ("none",): 2},
    ]
    assert [(at.hour, at.minute, one.total("replies_total")) for at, one in history.by_hour(9)] == [
        (3, 0, 1),
        (2, 30, 2),
    ]


WORKER = """
import subprocess, sys
from smallhours.serve.gateway.metrics import Metrics
from smallhours.serve.gateway.operator.history import History
metrics = Metrics()
history = History(metrics.registry)
if sys.argv[1:]:
    subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
metrics.count_request("/", 200)
print(history.last(1).total("smallhours_requests_total"))
"""


def test_a_worker_knows_what_the_others_did_since_it_began(tmp_path: Path) -> None:
    several = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", WORKER, WORKER]
    done = subprocess.run(command, env=several, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "2"]


def test_after_a_week_the_oldest_hours_are_gone() -> None:
    now, registry = [0.0], CollectorRegistry()
    replies = Counter("replies", "", registry=registry)
    history = History(lambda: registry, lambda: now[0])
    for _ in range(200):
        replies.inc()
        now[0] += 3600
        history.keep()
    assert history.last(10_000).total("replies_total") == 167
    assert len(history.by_hour(10_000)) == 168


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.sampled_from([0.5, 0.95]))
def test_a_share_of_all_replies_is_within_the_time_that_is_told(seconds: list[float], share: float) -> None:
    registry = CollectorRegistry()
    histogram = Histogram("reply_seconds", "", ["source"], registry=registry, buckets=(1, 10, 50))
    before = History(lambda: registry)
    for one in seconds:
        histogram.labels("generated").observe(one)
    bound = before.last(1).within(share, "reply_seconds", source="generated")
    assert bound is not None
    assert sum(one <= bound for one in seconds) >= share * len(seconds)
    assert Counts().within(share, "reply_seconds") is None


@pytest.mark.parametrize(
    ("answers", "told"),
    [(3, ("done", 3)), (None, ("put off", 0)), (OSError("disk"), ("failed", 0))],
)
def test_the_retention_job_says_how_its_last_round_went(answers: object, told: tuple[str, int]) -> None:
    async def purge() -> int | None:
        if isinstance(answers, Exception):
            raise answers
        return answers  # type: ignore[return-value]

    async def once() -> Rounds:
        rounds = Rounds(purge)
        job = asyncio.create_task(rounds.every_hour())
        await asyncio.sleep(0.01)
        job.cancel()
        return rounds

    last = asyncio.run(once()).last
    assert last and (last.outcome, last.deleted) == told
