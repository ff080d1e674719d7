"""The page as a browser gets it: the language, the age of the numbers, and what may be kept."""

from __future__ import annotations

import re
from datetime import date

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.risk import STALE_DAYS
from smallhours.domain.settings import ServeSettings
from smallhours.safety.helplines import tables
from smallhours.serve.gateway import people
from smallhours.serve.gateway.app import create_app
from smallhours.serve.gateway.interface import LANGUAGES, fill, interface, wanted
from smallhours.serve.gateway.page import STATIC, static_version
from tests.unit.serve.conftest import Build


@pytest.fixture
def browser(build: Build) -> TestClient:
    return TestClient(create_app(build(), ServeSettings(), "smallhours-test"))


def opened(browser: TestClient, language: str, path: str = "/") -> str:
    return browser.get(path, headers={"accept-language": language}).text


@pytest.mark.parametrize(
    ("header", "chosen", "locale"),
    [
        ("en-GB,en;q=0.9", None, "en-GB"),
        ("fr", None, "fr"),
        ("nl-BE,fr;q=0.8,en;q=0.5", None, "fr-BE"),
        ("en;q=0.3,de-AT;q=0.9", None, "de-AT"),
        ("ar-EG", "es", "es-EG"),
        ("ar-EG", "klingon", "ar-EG"),
        ("zh-Hant-TW", None, "en-TW"),
        ("", None, "en"),
        ("*;q=x, <script>", None, "en"),
    ],
)
def test_the_language_is_the_persons_and_the_country_the_phones(
    header: str, chosen: str | None, locale: str
) -> None:
    assert wanted(header, chosen).locale == locale


@given(st.text(max_size=200))
def test_no_header_breaks_the_page(header: str) -> None:
    asked = wanted(header)
    assert asked.language in LANGUAGES and re.fullmatch(r"[A-Z]{2}|", asked.country)


def test_a_chosen_language_is_kept_for_the_next_visit(browser: TestClient) -> None:
    assert 'lang="hi"' in opened(browser, "en-US", "/?lang=hi")
    assert '<html lang="hi" dir="ltr" data-locale="hi-US">' in opened(browser, "en-US")


def test_arabic_runs_from_right_to_left_and_names_countries_in_arabic(browser: TestClient) -> None:
    page = opened(browser, "ar-EG")
    assert '<html lang="ar" dir="rtl"' in page
    assert ">مصر</option>" in page and "مساعدة من إنسان" in page


def test_a_language_that_the_model_does_not_write_says_so(browser: TestClient) -> None:
    assert "vorbereiteten Texten" in opened(browser, "de")
    assert "prepared texts" not in opened(browser, "en")


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_gap_is_left_in_any_language(browser: TestClient, code: str) -> None:
    shown = opened(browser, code).split("<script type=")[0]
    assert re.findall(r"\{(number|name|words|date|days)\}", shown) == []
    for english, translated in interface(code).words.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", translated)), english


def test_filling_escapes_and_keeps_the_direction_of_numbers() -> None:
    assert fill("Call {number}", number="<b>") == "Call &lt;b&gt;"
    assert fill("اتصل {number}", number="+20 1") == 'اتصل <bdi dir="ltr">+20 1</bdi>'


def test_old_numbers_are_named_after_half_a_year() -> None:
    newest = max(date.fromisoformat(one.checked) for c in tables().values() for one in c.resources)
    assert people.overdue(people.last_checked()) == []
    oldest = date.fromordinal(people.last_checked().toordinal() + STALE_DAYS + 1)
    assert people.overdue(oldest) != []
    all_old = date.fromordinal(newest.toordinal() + STALE_DAYS + 1)
    assert len(people.overdue(all_old)) == sum(len(country.resources) for country in tables().values())


@pytest.mark.parametrize(("old", "said"), [([], "or later."), (["GB Line"], "and may have changed.")])
def test_the_footer_says_how_old_the_numbers_are(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, old: list[str], said: str
) -> None:
    monkeypatch.setattr(people, "overdue", lambda today: old)
    footer = opened(browser, "en").split("<footer")[1].split("</footer>")[0]
    assert said in footer and ("fine-stale" in footer) is bool(old)


def test_night_by_the_device_and_night_by_choice_have_the_same_colours() -> None:
    css = (STATIC / "css/theme.css").read_text("utf-8")
    by_device = css.split("@media (prefers-color-scheme: dark)")[1].split("\n}")[0]
    by_choice = css.split(':root[data-theme="night"] {')[1].split("\n}")[0]
    colours = re.compile(r"--[\w-]+: [^;]+;")
    assert colours.findall(by_device) == colours.findall(by_choice) != []


def test_all_that_the_first_script_needs_is_asked_for_at_once(browser: TestClient) -> None:
    """A module that is not preloaded is found only when its importer has come: one round trip more."""
    needed, waiting = set(), ["main"]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            text = (STATIC / "js" / f"{name}.js").read_text("utf-8")
            waiting += re.findall(r'^import .* from "\./(\w+)\.js";$', text, re.MULTILINE)
    page = opened(browser, "en")
    assert set(re.findall(r'modulepreload" href="static/\w+/js/(\w+)\.js"', page)) == needed


def test_static_files_may_be_kept_for_good_and_a_missing_one_may_not(browser: TestClient) -> None:
    root = f"/static/{static_version()}"
    assert "immutable" in browser.get(f"{root}/js/main.js").headers["cache-control"]
    assert browser.get(f"{root}/js/none.js").headers["cache-control"] == "no-store"
    assert browser.get("/static/0123456789ab/js/main.js").status_code == 404


def test_the_service_worker_keeps_files_of_the_page_and_each_of_them_exists(browser: TestClient) -> None:
    worker = browser.get("/sw.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    files = re.findall(r'"(static/[^"]+)"', worker.text)
    assert any(name.endswith("/js/main.js") for name in files)
    assert [name for name in files if browser.get(f"/{name}").status_code != 200] == []


def test_the_manifest_names_pictures_that_exist(browser: TestClient) -> None:
    icons = browser.get("/manifest.webmanifest").json()["icons"]
    assert {icon["sizes"] for icon in icons} == {"192x192", "512x512"}
    assert all(browser.get(f"/{icon['src']}").status_code == 200 for icon in icons)


@pytest.mark.parametrize("asked", [False, True])
def test_age_is_asked_only_where_the_operator_wants_it(build: Build, asked: bool) -> None:
    app = create_app(build(), ServeSettings(age_confirmation=asked), "smallhours-test")
    assert ("data-adult" in TestClient(app).get("/").text) is asked


def test_memory_is_offered_only_where_the_app_has_it(browser: TestClient) -> None:
    assert "data-memory" not in opened(browser, "en")
    browser.app.get("/v1/memory")(lambda: {"available": True})  # type: ignore[attr-defined]
    assert "data-memory" in opened(browser, "en")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"source": "generated", "verdict": "worse"}, 204),
        ({"source": "vetted", "verdict": "dangerous"}, 204),
        ({"source": "vetted", "verdict": "my name is Ann"}, 422),
        ({"source": "vetted", "verdict": "worse", "text": "what I wrote"}, 422),
    ],
)
def test_feedback_is_a_word_from_a_closed_list_and_is_only_counted(
    browser: TestClient, body: dict[str, str], status: int
) -> None:
    assert browser.post("/v1/feedback", json=body).status_code == status
    counted = f'smallhours_feedback_total{{source="{body["source"]}",verdict="{body["verdict"]}"}} 1.0'
    assert (counted in browser.get("/metrics").text) is (status == 204)
