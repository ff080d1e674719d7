"""The review page as a professional meets it, in a real browser, with a real file of sign-offs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Locator, Page, expect

from smallhours.cli.review_page.app import create_page
from smallhours.corpus.review.ledger import read_ledger
from smallhours.corpus.review.session import Review
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.domain.sign_offs import Verdict
from tests.e2e.serving import serving
from tests.unit.corpus.review_kit import ANA, BO, pair, review

TOKEN = "t0ken"
KINDER = "Lie down for a moment. Then call somebody you like."
NASTY = "<script>document.title = 'owned'</script><img src=x onerror=alert(1)> \u202eand rest."


class Desk:
    """One reviewer at one browser window; ``faults`` are what the console complained of."""

    def __init__(self, browser: Browser, url: str, session: Review, **window: object) -> None:
        self.session, self.root = session, f"{url}/{TOKEN}"
        self.page: Page = browser.new_page(**window)  # type: ignore[arg-type]
        self.page.set_default_timeout(10_000)
        self.faults: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.open("/")

    def open(self, path: str) -> None:
        self.page.goto(self.root + path)

    @property
    def signed(self) -> list[tuple[str, str, str]]:
        return [(one.pair, one.verdict.value, one.reason) for one in read_ledger(self.session.file).sign_offs]

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def arrives_at(self, name: str) -> None:
        """Waits for a pair, for the script that gives it its keys, and for a picture of it.

        A browser drops keys that are pressed before it has painted a new page.
        """
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)
        expect(self.page.get_by_role("checkbox")).to_be_visible()
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def unfold(self, name: str) -> None:
        self.page.locator("summary", has_text=name).click()


class Office:
    """Opens desks; each has a server of its own, as each ``corpus review --browser`` has."""

    def __init__(self, browser: Browser, file: Path, stack: ExitStack) -> None:
        self._browser, self._stack, self.file = browser, stack, file

    def desk(self, session: Review | None = None, **window: object) -> Desk:
        session = session or review(self.file)
        url = self._stack.enter_context(serving(create_page(session, TOKEN)))
        desk = Desk(self._browser, url, session, **window)
        self._stack.callback(desk.page.close)
        return desk


@pytest.fixture
def office(browser: Browser, tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(browser, tmp_path / "signoffs.jsonl", stack)


def test_approve_edit_reject_and_skip_lead_through_the_pairs(office: Office) -> None:
    desk = office.desk()
    page = desk.page
    expect(page.get_by_role("heading", level=1)).to_have_text("p1")
    desk.button("Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Recorded: approve on p1.")
    expect(page.get_by_role("heading", level=1)).to_have_text("p2")
    desk.unfold("Edit")
    page.get_by_label("Answer").fill(KINDER)
    page.get_by_label("Why (may be empty)").fill("softer")
    desk.button("Propose these words").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("p3")
    desk.unfold("Reject")
    page.get_by_label("Reason").fill("no warmth in it")
    desk.button("Reject").click()
    page.get_by_role("link", name="Skip").click()
    expect(page.get_by_role("main")).to_contain_text("1 that you skipped still wait")
    assert desk.signed == [
        ("p1", "approve", ""),
        ("p2", "edit", "softer"),
        ("p3", "reject", "no warmth in it"),
    ]
    proposed = read_ledger(office.file).sign_offs[1].messages
    assert proposed is not None and proposed[-1].content == KINDER
    assert desk.faults == []


def test_keys_lead_to_a_verdict_and_only_enter_gives_it(office: Office) -> None:
    desk = office.desk()
    page = desk.page
    page.keyboard.press("a")
    expect(desk.button("Approve")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert desk.signed == []
    page.keyboard.press("Enter")
    desk.arrives_at("p2")
    page.keyboard.press("r")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("as cold as a letter")  # a, e, r and s are letters here
    page.keyboard.press("Tab")
    expect(desk.button("Reject")).to_be_focused()
    page.keyboard.press("Space")
    desk.arrives_at("p3")
    page.keyboard.press("e")
    expect(page.get_by_label("Answer")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(KINDER)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # from the field for the reason
    desk.arrives_at("p4")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("That was the last pair")
    assert desk.signed == [("p1", "approve", ""), ("p2", "reject", "as cold as a letter"), ("p3", "edit", "")]


def test_everything_is_reached_by_tab_alone_and_keys_can_be_switched_off(office: Office) -> None:
    desk = office.desk()
    page = desk.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the text")).to_be_focused()
    expect(page.get_by_role("link", name="To the text")).to_be_in_viewport()
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText")
        )
    keys = "Keys: a, e, r go to approve, edit, reject; s skips"
    assert reached == ["Next pair", "Status", "Approve", "Skip", "Edit", "Reject", keys]
    page.keyboard.press("Space")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("p1")
    page.reload()
    expect(page.get_by_role("checkbox")).not_to_be_checked()


def test_a_verdict_that_cannot_be_comes_back_with_what_was_typed(office: Office) -> None:
    desk = office.desk()
    page = desk.page
    desk.unfold("Reject")
    desk.button("Reject").click()  # the browser itself asks for the reason
    expect(page.get_by_label("Reason")).to_be_focused()
    page.get_by_label("Reason").fill("  ")
    desk.button("Reject").click()
    expect(page.get_by_role("alert")).to_have_text("Not recorded: a rejection needs a reason")
    expect(page.get_by_label("Reason")).to_be_focused()
    expect(page.get_by_label("Reason")).to_have_accessible_description(
        "Not recorded: a rejection needs a reason"
    )
    desk.unfold("Edit")
    page.get_by_label("Person").fill(" ")
    page.get_by_label("Answer").fill(KINDER)
    page.get_by_label("Why (may be empty)").fill('"softer"')
    desk.button("Propose these words").click()
    expect(page.get_by_role("alert")).to_contain_text("Person: is empty; to remove a pair, reject it")
    expect(page.get_by_label("Answer")).to_have_value(KINDER)
    expect(page.get_by_label("Why (may be empty)")).to_have_value('"softer"')
    assert not office.file.exists()
    page.get_by_label("Person").fill("how do i get through this night")
    desk.button("Propose these words").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("p2")
    assert desk.signed == [("p1", "edit", '"softer"')]


def test_words_that_change_void_the_sign_off(office: Office) -> None:
    first = office.desk()
    first.button("Approve").click()
    expect(first.page.get_by_label("1 of 4 judged by you")).to_be_visible()
    later = office.desk(Review([pair(1, KINDER), *review(office.file).pairs[1:]], office.file, ANA))
    expect(later.page.get_by_role("heading", level=1)).to_have_text("p1")
    expect(later.page.get_by_role("main")).to_contain_text(
        "Its words have changed since somebody signed them."
    )
    expect(later.page.get_by_label("0 of 4 judged by you")).to_be_visible()
    later.page.get_by_role("link", name="Status").click()
    expect(later.page.get_by_role("row", name="approved 0")).to_be_visible()
    expect(later.page.get_by_role("main")).to_contain_text("1 signed once and changed since")


def test_two_reviewers_see_their_agreement_and_what_they_dispute(office: Office) -> None:
    bo = review(office.file, BO)
    for position, verdict in enumerate((Verdict.APPROVE, Verdict.REJECT, Verdict.REJECT)):
        bo.sign(position, verdict, "much too cold" if verdict is Verdict.REJECT else "")
    desk = office.desk()
    page = desk.page
    for _ in range(2):
        expect(page.get_by_text("much too cold")).to_have_count(0)
        desk.button("Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Bo Li (GP) said reject: much too cold")
    desk.unfold("Reject")
    page.get_by_label("Reason").fill("cold")
    desk.button("Reject").click()
    page.get_by_role("link", name="Status").click()
    agreement = page.get_by_role("table", name="Agreement")
    expect(agreement).to_contain_text("Bo Li and Ana Osei")
    expect(agreement).to_contain_text("2 of 3 verdicts the same, kappa 0.40")
    page.get_by_role("link", name="p2").click()
    expect(page.get_by_role("main")).to_contain_text("You said approve on 2026-11-24.")
    expect(page.get_by_role("main")).to_contain_text("Bo Li (GP) said reject: much too cold")


def test_what_stands_in_a_pair_stays_text_and_hidden_marks_are_seen(office: Office) -> None:
    nasty = pair(1, NASTY)
    desk = office.desk(Review([nasty.model_copy(update={"topic": "<b>sleep</b>"})], office.file, ANA))
    page = desk.page
    expect(page.locator(".turn.assistant")).to_contain_text("<script>document.title = 'owned'</script>")
    expect(page.locator(".turn.assistant")).to_contain_text("⟨U+202E⟩and rest.")
    assert page.locator("main script, main img, main b").count() == 0
    assert page.title() == "p1 · Smallhours"
    desk.unfold("Edit")
    box = page.get_by_label("Answer (the characters that cannot be seen are left out here)")
    expect(box).to_have_value(NASTY.replace("\u202e", ""))
    desk.button("Propose these words").click()
    expect(page.get_by_role("status")).to_contain_text("Recorded: edit on p1.")
    assert desk.faults == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/review-99", "there is no such page in this review"),
        ("/review-one", "there is no such page in this review"),
        ("/nowhere", "there is no such page in this review"),
        ("/../wrong/", "not found; open the whole address that the terminal shows"),
    ],
)
def test_a_wrong_address_says_so_in_words(office: Office, path: str, told: str) -> None:
    desk = office.desk()
    desk.open(path)
    expect(desk.page.locator("body")).to_contain_text(told)
    expect(desk.page.locator("body")).not_to_contain_text("{")


def test_a_conversation_numbers_its_turns(office: Office) -> None:
    said = [
        ("user", "i cant sleep"),
        ("assistant", "That is hard."),
        ("user", "it is"),
        ("assistant", "Rest."),
    ]
    messages = tuple(Message(role=Role(role), content=content) for role, content in said)
    talk = Example(id="c1", topic="sleep", messages=messages)
    desk = office.desk(Review([talk], office.file, ANA))
    desk.unfold("Edit")
    desk.page.get_by_label("Answer, message 4").fill("Rest a little.")
    desk.button("Propose these words").click()
    expect(desk.page.get_by_role("status")).to_contain_text("Recorded: edit on c1.")
    kept = read_ledger(office.file).sign_offs[0].messages
    assert kept is not None and [one.content for one in kept] == [
        "i cant sleep", "That is hard.", "it is", "Rest a little."
    ]  # fmt: skip


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scroll_and_has_big_buttons(office: Office, width: int) -> None:
    long_word = pair(1, "Rest. " + "x" * 300)
    window = {"viewport": {"width": width, "height": 740}, "has_touch": True, "is_mobile": True}
    desk = office.desk(Review([long_word], office.file, ANA), **window)
    for fold in ("Edit", "Reject"):
        desk.unfold(fold)
    assert desk.page.evaluate("document.documentElement.scrollWidth") == width
    pressed = [*desk.page.get_by_role("button").all(), *desk.page.locator("summary, .button").all()]
    assert all((box := one.bounding_box()) and box["height"] >= 44 for one in pressed)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(office: Office, scheme: str) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1 for text of this size."""
    review(office.file).sign(0, Verdict.REJECT, "cold")
    desk = office.desk(color_scheme=scheme)
    weakest = []
    for path in ("/review-0", "/review-status"):
        desk.open(path)
        desk.page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
        weakest.append(desk.page.evaluate(CONTRAST))
    assert min(weakest) >= 4.5


CONTRAST = """() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => channels(colour).slice(0, 3)
    .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = one => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
  };
  const written = [...document.body.querySelectorAll("*")].filter(one =>
    one.checkVisibility() && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return Math.min(...written.map(one => {
    const [low, high] = [light(getComputedStyle(one).color), light(ground(one))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }));
}"""
