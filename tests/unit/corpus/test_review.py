"""From sign-offs to the state of a pair, and from states to a corrected copy and a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhours.corpus.build import build_dataset, read_split
from smallhours.corpus.review.corrected import corrected, write_corrected
from smallhours.corpus.review.editing import as_text, contents_of
from smallhours.corpus.review.ledger import Ledger, append_sign_off, read_ledger
from smallhours.corpus.review.selection import Selection
from smallhours.corpus.review.session import of_topic, signing_as
from smallhours.corpus.review.standing import Reviews
from smallhours.corpus.review.status import review_status
from smallhours.corpus.sources import builtin_pairs, read_pairs
from smallhours.domain.errors import DataError, InputError
from smallhours.domain.hidden import reveal
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example, ReviewState, Split
from smallhours.domain.settings import CorpusSettings, Settings
from smallhours.domain.sign_offs import Reviewer, SignOff, Verdict, example_hash
from tests.unit.corpus.conftest import BagOfWords
from tests.unit.corpus.review_kit import ANA, BO, NOON, pair, review, said


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([], "unreviewed"),
        ([(ANA, "approve")], "approved"),
        ([(ANA, "reject")], "rejected"),
        ([(ANA, "edit")], "edited"),
        ([(ANA, "approve"), (BO, "approve")], "approved"),
        ([(ANA, "approve"), (BO, "reject")], "disputed"),
        ([(ANA, "approve"), (BO, "edit")], "disputed"),
        ([(ANA, "edit"), (BO, "edit")], "edited"),
        ([(ANA, "approve"), (ANA, "reject")], "rejected"),
        ([(ANA, "approve"), (BO, "reject"), (BO, "approve")], "approved"),
    ],
)
def test_the_last_word_of_each_reviewer_makes_the_state(
    verdicts: list[tuple[Reviewer, str]], state: str
) -> None:
    reviews = Reviews(said(pair(), who, verdict) for who, verdict in verdicts)
    assert reviews.state(pair()) == ReviewState(state)


def test_two_different_proposals_are_a_dispute() -> None:
    reviews = Reviews([said(pair(), ANA, "edit", "One way."), said(pair(), BO, "edit", "Another way.")])
    assert reviews.state(pair()) is ReviewState.DISPUTED


def test_one_name_is_one_person_however_it_is_capitalized() -> None:
    again = Reviewer(name=" ana  osei", credential="psychologist")
    reviews = Reviews([said(pair(), ANA, "reject"), said(pair(), again, "approve")])
    assert reviews.state(pair()) is ReviewState.APPROVED


def test_a_later_edit_of_the_text_voids_the_sign_off() -> None:
    reviews = Reviews([said(pair(), ANA, "approve")])
    edited = pair(answer="Rest a little. Then call a friend!")
    assert reviews.state(edited) is ReviewState.UNREVIEWED and reviews.changed(edited)
    assert not reviews.changed(pair())


def test_a_sign_off_follows_its_words_when_rows_move() -> None:
    moved = pair().model_copy(update={"id": "row-77", "topic": "other"})
    assert Reviews([said(pair(), ANA, "approve")]).state(moved) is ReviewState.APPROVED


def test_others_are_shown_only_after_ones_own_verdict() -> None:
    theirs = said(pair(), BO, "reject")
    assert Reviews([theirs]).others(pair(), ANA) == []
    assert Reviews([theirs, said(pair(), ANA, "approve")]).others(pair(), ANA) == [theirs]


def test_a_review_resumes_where_it_was_left(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    review(file).sign(0, Verdict.APPROVE)
    review(file).sign(2, Verdict.REJECT, "too brisk")
    assert review(file).waiting() == [1, 3] and review(file).judged() == 2
    assert review(file, BO).waiting() == [0, 1, 2, 3]
    assert review(file, again=True).waiting() == [0, 1, 2, 3]


def test_the_same_verdict_twice_on_end_is_one_line(tmp_path: Path) -> None:
    session = review(tmp_path / "s.jsonl")
    first = session.sign(0, Verdict.APPROVE)
    assert session.sign(0, Verdict.APPROVE) == first
    session.sign(0, Verdict.REJECT, "on second thoughts, too brisk")
    session.sign(0, Verdict.APPROVE)
    assert len(read_ledger(session.file).sign_offs) == 3


@pytest.mark.parametrize(
    ("verdict", "reason", "contents", "told"),
    [
        (Verdict.REJECT, "  ", (), "a rejection needs a reason"),
        (Verdict.REJECT, "bad \udcff byte", (), "UTF-8"),
        (Verdict.EDIT, "", ("how do i get through night 1", " "), "Answer: is empty"),
        (Verdict.EDIT, "", ("one",), "keeps the number of messages"),
        (Verdict.EDIT, "", ("how do i get through night 1", "x" * 8001), "longer than 8000"),
        (Verdict.EDIT, "", [m.content + "\r\n" for m in pair().messages], "nothing was changed"),
    ],
)
def test_what_cannot_be_signed_is_refused_and_leaves_no_trace(
    tmp_path: Path, verdict: Verdict, reason: str, contents: tuple[str, ...], told: str
) -> None:
    session = review(tmp_path / "s.jsonl")
    with pytest.raises(InputError, match=told):
        session.sign(0, verdict, reason, contents)
    assert not session.file.exists()


@pytest.mark.parametrize(
    ("name", "credential", "told"), [(None, "GP", "--reviewer"), ("Bo", " ", "--credential"), ("", "", "\n")]
)
def test_nobody_signs_without_name_and_credential(
    name: str | None, credential: str | None, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        signing_as(name, credential)


def test_a_text_goes_through_the_editor_and_comes_back() -> None:
    talk = pair().model_copy(
        update={
            "messages": (*pair().messages, Message(role=Role.USER, content="a\n\nb"), *pair().messages[1:])
        }
    )
    assert [c.strip() for c in contents_of(as_text(talk), talk)] == [m.content for m in talk.messages]
    for broken in ("", as_text(talk).replace("=== Answer ===", "Answer", 1), "x\n" + as_text(talk)):
        with pytest.raises(InputError, match="must stay"):
            contents_of(broken, talk)


def test_a_topic_that_none_has_is_told_with_those_there_are() -> None:
    assert [e.id for e in of_topic([pair(1), pair(2)], "grief")] == ["p2"]
    with pytest.raises(InputError, match="topics are grief, sleep"):
        of_topic([pair(1), pair(2)], "sleeep")


def test_hidden_characters_are_made_visible_and_joiners_stay() -> None:
    assert reveal("a\u202eb\x1b[2J\u200b\n\tc") == "a⟨U+202E⟩b⟨U+001B⟩[2J⟨U+200B⟩\n\tc"
    family = "\U0001f469\u200d\U0001f467 \u0915\u094d\u200d\u0937"
    assert reveal(family) == family


def test_the_status_counts_and_hides_disputes_from_who_has_not_judged() -> None:
    pairs = [pair(1), pair(2), pair(3, "New words.")]
    cleo = Reviewer(name="Cleo", credential="nurse")
    signed = [said(pair(1), ANA, "approve"), said(pair(1), BO, "reject"), said(pair(3), ANA, "approve")]
    status = review_status(pairs, Ledger(tuple(signed)))
    assert {s.value: n for s, n in status.states.items() if n} == {"disputed": 1, "unreviewed": 2}
    assert status.changed == 1 and [j.pairs for j in status.reviewers] == [1, 1]
    assert [d.pair for d in status.disputes] == ["p1"]
    assert review_status(pairs, Ledger(tuple(signed)), cleo).disputes == ()
    assert len(review_status(pairs, Ledger(tuple(signed)), BO).disputes) == 1


def test_the_corrected_copy_has_undisputed_edits_and_they_are_unreviewed(tmp_path: Path) -> None:
    pairs = [pair(n) for n in (1, 2, 3)]
    ledger = Ledger(
        (
            said(pair(1), ANA, "edit", "Kinder words."),
            said(pair(2), ANA, "edit"),
            said(pair(2), BO, "approve"),
            said(pair(3), ANA, "reject"),
        )
    )
    outcome = corrected(pairs, ledger)
    assert (outcome.edited, outcome.disputed) == (["p1"], ["p2"])
    write_corrected(tmp_path / "new.jsonl", outcome.pairs)
    copy = read_pairs(tmp_path / "new.jsonl")
    assert [e.answer for e in copy] == ["Kinder words.", pair(2).answer, pair(3).answer]
    reviews = Reviews(ledger.sign_offs)
    assert [reviews.state(e).value for e in copy] == ["unreviewed", "disputed", "rejected"]
    for name, told in (("new.jsonl", "already"), ("new.csv", r"\.jsonl")):
        with pytest.raises(InputError, match=told):
            write_corrected(tmp_path / name, copy)


def marked(selection: Selection, pairs: list[Example]) -> list[Example]:
    return [kept for example in pairs if (kept := selection.mark(example)) is not None]


def test_reviewed_only_keeps_the_approved_and_otherwise_only_the_rejected_go() -> None:
    pairs = [pair(n) for n in range(1, 6)]
    ledger = Ledger(
        (
            said(pair(1), ANA, "approve"),
            said(pair(2), ANA, "reject"),
            said(pair(3), ANA, "edit"),
            said(pair(4), ANA, "approve"),
            said(pair(4), BO, "reject"),
        )
    )
    only = Selection(ledger, reviewed_only=True)
    assert [(e.id, e.review.value) for e in marked(only, pairs)] == [("p1", "approved")]
    every = Selection(ledger, reviewed_only=False)
    assert [e.id for e in marked(every, pairs)] == ["p1", "p3", "p4", "p5"]
    assert every.figures["left_out"] == 1
    told = only.too_few("f", found=1, fewest=2)
    assert "f: 1 of 5 pairs are approved" in told and "1 disputed" in told and "needs at least 2" in told


def test_a_file_can_reject_its_own_pairs_and_not_approve_them() -> None:
    own = [
        pair(n).model_copy(update={"review": state})
        for n, state in enumerate((ReviewState.APPROVED, ReviewState.REJECTED), start=1)
    ]
    ledger = Ledger((said(own[1], ANA, "approve"),))
    kept = marked(Selection(ledger, reviewed_only=False), own)
    assert [(e.id, e.review) for e in kept] == [("p1", ReviewState.UNREVIEWED)]


def signed_builtin(path: Path, approved: int) -> list[Example]:
    pairs = builtin_pairs("98")
    for example in pairs[:approved]:
        append_sign_off(path, said(example, ANA, "approve"))
    append_sign_off(path, said(pairs[approved], ANA, "reject"))
    return pairs


def test_a_dataset_is_built_from_signed_pairs_alone(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    sign_offs = tmp_path / "s.jsonl"
    pairs = signed_builtin(sign_offs, 20)
    settings = Settings(data="builtin:98", corpus=CorpusSettings(reviewed_only=True, sign_offs=sign_offs))
    manifest = build_dataset(settings, tmp_path / "d", bag_of_words)
    found = [example for split in Split for example in read_split(tmp_path / "d", split)]
    originals = {e.id for e in found if e.parent is None}
    assert originals == {e.id for e in pairs[:20]}
    assert all((e.review is ReviewState.APPROVED) == (e.parent is None) for e in found)
    assert manifest.inputs["sign_offs"] == read_ledger(sign_offs).content_hash
    assert manifest.figures["review"]["states"]["approved"] == 20
    assert manifest.figures["review"]["left_out"] == 78


def test_a_new_sign_off_makes_a_new_dataset_and_the_place_of_the_file_does_not(
    tmp_path: Path, bag_of_words: BagOfWords
) -> None:
    pairs = signed_builtin(tmp_path / "s.jsonl", 1)

    def built(name: str) -> str:
        settings = Settings(corpus=CorpusSettings(sign_offs=tmp_path / name))
        return build_dataset(settings, tmp_path / "d", bag_of_words).fingerprint

    first = built("s.jsonl")
    (tmp_path / "moved.jsonl").write_bytes((tmp_path / "s.jsonl").read_bytes())
    assert built("moved.jsonl") == first
    append_sign_off(tmp_path / "s.jsonl", said(pairs[50], ANA, "approve"))
    assert built("s.jsonl") != first


def test_a_named_file_that_is_missing_or_damaged_stops_the_build(
    tmp_path: Path, bag_of_words: BagOfWords
) -> None:
    settings = Settings(corpus=CorpusSettings(sign_offs=tmp_path / "s.jsonl"))
    with pytest.raises(DataError, match="no such file of sign-offs"):
        build_dataset(settings, tmp_path / "d", bag_of_words)
    signed_builtin(tmp_path / "s.jsonl", 2)
    lines = (tmp_path / "s.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "s.jsonl").write_text("".join([lines[0], lines[2]]))
    with pytest.raises(DataError, match="line"):
        build_dataset(settings, tmp_path / "d", bag_of_words)
    assert not (tmp_path / "d").exists()


def test_a_rejected_pair_beside_the_data_is_left_out_unasked(
    tmp_path: Path, bag_of_words: BagOfWords
) -> None:
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(e.model_dump_json() + "\n" for e in builtin_pairs("98")[:20]))
    append_sign_off(tmp_path / "pairs.jsonl.signoffs.jsonl", said(builtin_pairs("98")[3], ANA, "reject"))
    manifest = build_dataset(Settings(data=data), tmp_path / "d", bag_of_words)
    assert manifest.figures["pairs"] == 19 and "sign_offs" in manifest.inputs


def test_a_sign_off_holds_together() -> None:
    fields = {"pair": "p", "text": example_hash(pair()), "reviewer": ANA, "at": NOON}
    for wrong, told in (
        ({"verdict": "edit"}, "carries its messages"),
        ({"verdict": "approve", "messages": pair().messages}, "nothing else does"),
        ({"verdict": "edit", "messages": pair().messages}, "must change something"),
        ({"verdict": "approve", "at": "2026-11-24T12:00:00"}, "timezone"),
    ):
        with pytest.raises(ValueError, match=told):
            SignOff.model_validate(fields | wrong)
