"""Personal data is masked where the text itself shows it, and ordinary words are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.corpus.personal.accounts import has_luhn_digit
from smallhours.corpus.scrub import Kind, scrub, scrub_all

# What people write, and what is left of it.
MASKED = [
    ("my name is Maria", "my name is [name]"),
    ("My name's Maria Lopez-Garcia, hi", "My name's [name], hi"),
    ("hi my name is maria and im 15", "hi my name is [name] and im 15"),
    ("My real name is O'Brien", "My real name is [name]"),
    ("My name is Will. Will you help?", "My name is [name]. Will you help?"),
    ("my sister's name is Ana Paula", "my sister's name is [name]"),
    ("I'm Oksana from Kharkiv", "I'm [name] from Kharkiv"),
    ("you can call me Sam", "you can call me [name]"),
    ("Dear Anna, thank you", "Dear [name], thank you"),
    ("Dr Okafor and Mrs. Jones's dog", "Dr [name] and Mrs. [name]'s dog"),
    ("me llamo Lucía Fernández y no duermo", "me llamo [name] y no duermo"),
    ("soy Carmen de Sevilla", "soy [name] de Sevilla"),
    ("la Dra. Gómez dijo", "la Dra. [name] dijo"),
    ("je m’appelle Zoé et", "je m’appelle [name] et"),
    ("je suis Karim d'Orléans", "je suis [name] d'Orléans"),
    ("Chère Sophie,", "Chère [name],"),
    ("ich heiße Jürgen Müller und", "ich heiße [name] und"),
    ("Liebe Petra, Frau Schneider sagt", "Liebe [name], Frau [name] sagt"),
    ("meu nome é João", "meu nome é [name]"),
    ("podem me chamar de Duda", "podem me chamar de [name]"),
    ("mail ana.lopez+x@mail.example.org now", "mail [email] now"),
    ("ana at gmail dot com", "[email]"),
    ("follow @sun_flower9 or u/sunny_123", "follow [handle] or [handle]"),
    ("my discord: foo#1234", "my discord: [handle]"),
    ("https://instagram.com/sunny.girl!", "[link]!"),
    ("see example.org/users/ana", "see [link]"),
    ("call me on 415-555-0132 tonight", "call me on [phone] tonight"),
    ("call me at 555-0132", "call me at [phone]"),
    ("+44 7700 900123", "[phone]"),
    ("07911 123456", "[phone]"),
    ("mon portable : 06 12 34 56 78", "mon portable : [phone]"),
    ("mi número es 612 34 56 78", "mi número es [phone]"),
    ("(11) 91234-5678", "[phone]"),
    ("0151 23456789", "[phone]"),
    ("98765 43210", "[phone]"),
    ("card 4111 1111 1111 1111", "card [number]"),
    ("SSN 123-45-6789", "SSN [number]"),
    ("DNI 12345678Z", "DNI [number]"),
    ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [number]"),
    ("my passport number is X1234567", "my passport number is [number]"),
    ("221B Baker Street, Flat 2", "[address]"),
    ("I live at 12 maple street", "I live at [address]"),
    ("5 bis, avenue Victor Hugo", "[address]"),
    ("Calle Mayor 12", "[address]"),
    ("Rua das Flores, nº 12", "[address]"),
    ("Hauptstraße 12, 10115 Berlin", "[address] Berlin"),
]

HARMLESS = [
    "I'm Anxious",
    "i'm fine",
    "I'm Polish from Chicago",
    "I'm Back from Paris",
    "I'm far from Okay",
    "call me back, call me Monday",
    "my name is mud",
    "my name is on the list",
    "Dear God. Dear all,",
    "what you hold most dear. Pushing helps",
    "I told my doctor I'd go. I saw the Dr. She said no",
    "meine Frau Depressionen hat, liebe Grüße",
    "me llamo la atención",
    "up @ 3am, @3am again, 24/7, @home",
    "call 911, text 988, 116 123 or 13 11 14",
    "1-800-273-8255 is free to call",
    "I'm 34, 65 kg, 170 cm, born 1987, there 2015-2019",
    "2019 2020 2021",
    "50 mg, then 1000 2000 3000 mg",
    "300.000.000 pesos, $1500000, 1,000,000 reasons",
    "from 10:30 to 11:45 on 08/31/95",
    "level 1234567 in a game",
    "amig@s y tod@s",
    "see https://findahelpline.com/countries and www.example.org/help",
    "my discord is broken, my insta is boring",
    "3 years down the road, a 2 way street, a 5 minute drive",
    "Arbeitsweg 40 Minuten",
    "1234 5678 9012 3456",
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_personal_data_is_masked_by_kind(text: str, masked: str) -> None:
    assert scrub(text).text == masked


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert scrub(text).spans == ()
    assert scrub(text).text == text


def test_spans_stand_in_the_original_text() -> None:
    text = "my name is Maria, mail me at a.b@example.org"
    found = [(span.kind, text[span.start : span.end]) for span in scrub(text).spans]
    assert found == [(Kind.NAME, "Maria"), (Kind.EMAIL, "a.b@example.org")]


def test_a_name_given_once_is_masked_in_all_that_belongs_together() -> None:
    question, answer = scrub_all(["My name is Maria Lopez.", "Rest, Maria. Lopez is a good name."])
    assert (question.text, answer.text) == ("My name is [name].", "Rest, [name]. [name] is a good name.")


def test_a_name_that_is_also_a_word_is_masked_where_it_is_introduced_only() -> None:
    assert scrub("my name is Hope and i hope it ends. Hope helps").text == (
        "my name is [name] and i hope it ends. Hope helps"
    )


def test_helplines_of_our_tables_are_nobodys_own() -> None:
    assert scrub("call 0800 1111 or +1 800 273 8255").spans == ()


@pytest.mark.parametrize(
    ("digits", "valid"), [("4111111111111111", True), ("4111111111111112", False), ("0" * 16, False)]
)
def test_cards_carry_a_check_digit(digits: str, valid: bool) -> None:
    assert has_luhn_digit(digits) is valid


# Texts in which personal data meets what it could be confused with.
PIECES = st.sampled_from(
    [*(text for text, _ in MASKED), *HARMLESS, *(kind.mask for kind in Kind), "@", ".", "\n", "4"]
)
TEXTS = (
    st.text()
    | st.lists(PIECES | st.text(max_size=4), max_size=6).map(" ".join)
    | st.lists(PIECES, max_size=3).map("".join)
)


@given(TEXTS)
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = scrub(text).text
    assert scrub(once).text == once
    assert scrub(once).spans == ()


@given(TEXTS)
def test_nothing_but_the_spans_is_changed(text: str) -> None:
    scrubbed = scrub(text)
    pieces, at = [], 0
    for span in scrubbed.spans:
        assert at <= span.start < span.end <= len(text)
        pieces += [text[at : span.start], span.kind.mask]
        at = span.end
    assert "".join([*pieces, text[at:]]) == scrubbed.text
