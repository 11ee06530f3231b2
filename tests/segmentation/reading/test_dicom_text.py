"""Texts in every character set of PS3.5 6.1, by the examples of its annexes H to K."""

import pytest

from app.segmentation.reading.dicom_text import CharacterSet, readable

NAME = b"\\^="


@pytest.mark.parametrize(
    ("term", "stored", "text"),
    [
        ("", b"Adams^John", "Adams^John"),
        ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        ("ISO_IR 101", b"W\xa3\xf3d\xbc", "WŁódź"),
        ("ISO_IR 109", b"\xa1a\xf8", "Ħaĝ"),
        ("ISO_IR 110", b"\xb9\xe0", "šā"),
        ("ISO_IR 144", b"\xbb\xee\xda\x63\x65\xdc\xd1\x79\x70\xd3", "Люкceмбypг"),
        ("ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
        ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
        ("ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
        ("ISO_IR 148", b"\xc7avu\xfeo\xf0lu", "Çavuşoğlu"),
        ("ISO_IR 203", b"\xa4\xbd", "€œ"),
        ("ISO_IR 166", b"\xb9\xd2\xc1\xca\xa1\xd8\xc5", "นามสกุล"),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        (
            "\\ISO 2022 IR 87",  # H.3.1
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        (
            "ISO 2022 IR 13\\ISO 2022 IR 87",  # H.3.2
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        ),
        ("\\ISO 2022 IR 159", b"\x1b$(D\x30\x21\x1b(B^A", "丂^A"),
        (
            "\\ISO 2022 IR 149",  # I.2
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
            "Hong^Gildong=洪^吉洞=홍^길동",
        ),
        ("\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7", "Hong^Gildong=洪^吉洞"),
        (
            "ISO_IR 192",  # J.1
            "Wang^XiaoDong=王^小東".encode(),
            "Wang^XiaoDong=王^小東",
        ),
        ("GB18030", "Wang^XiaoDong=王^小东".encode("gb18030"), "Wang^XiaoDong=王^小东"),  # J.3
        ("GBK", "王^小东".encode("gbk"), "王^小东"),
        (
            "\\ISO 2022 IR 58",  # K.2
            b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
            "Zhang^XiaoDong=张^小东=",
        ),
        (
            "ISO 2022 IR 100\\ISO 2022 IR 144",  # and back again after a delimiter
            b"Buc^\x1b-L\xb8\xd2\xd0\xdd=J\xe9r\xf4me",
            "Buc^Иван=Jérôme",
        ),
    ],
)
def test_a_name_in_its_character_set(term, stored, text):
    assert CharacterSet.named(term).decode(stored, NAME) == text


@pytest.mark.parametrize(
    "term", ["ISO_IR 101", "iso_ir 101", "ISO-IR 101", "ISO IR 101", "ISO_IR101", "ISO8859-2", "ISO-8859-2"]
)
def test_a_set_is_known_in_any_spelling(term):
    assert CharacterSet.named(term).decode(b"\xa3\xf3d\xbc") == "Łódź"


def test_a_set_that_nobody_named_is_taken_for_utf_8_if_it_can_be():
    assert CharacterSet.named("").decode("Müller".encode()) == "Müller"
    assert CharacterSet.named("").decode("Müller".encode("latin_1")) == "Müller"


@pytest.mark.parametrize(
    ("term", "name"),
    [
        *(
            ("ISO_IR 100", "Müller^Jörg"),
            ("ISO_IR 101", "Wałęsa"),
            ("ISO_IR 144", "Люксембург"),
            ("ISO_IR 126", "Άννα"),
        ),
        *(("ISO_IR 127", "قباني"), ("ISO_IR 138", "שרון"), ("ISO_IR 148", "Çavuşoğlu"), ("ISO 2022 IR 100", "Ñandú")),
    ],
)
def test_utf_8_is_known_under_the_name_of_another_set(term, name):
    assert CharacterSet.named(term).decode(name.encode(), NAME) == name


@pytest.mark.parametrize(
    ("term", "stored", "name"),
    [
        ("ISO_IR 100", b"O\x92Brien^\x8ea\x9a", "O’Brien^Žaš"),
        ("", b"O\x92Brien^\x8cuvr\xe9", "O’Brien^Œuvré"),
        ("ISO_IR 101", b"\x8cwi\xeatek^\x9dan", "Świętek^ťan"),
        ("ISO_IR 148", b"\x8a\xfeahin", "Šşahin"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", b"O\x92Brien^\x1b-L\xb8\xd2", "O’Brien^Ив"),
    ],
)
def test_windows_letters_are_no_control_characters(term, stored, name):
    assert readable(CharacterSet.named(term).decode(stored, NAME)) == name


@pytest.mark.parametrize("name", ["ﾔﾏﾀﾞ^ﾀﾛｳ", "山田^太郎", "ソ連^表示"])
def test_shift_jis_is_known_under_the_name_of_its_upper_half(name):
    assert CharacterSet.named("ISO_IR 13").decode(name.encode("shift_jis"), NAME) == name


def test_what_means_nothing_becomes_a_mark_and_is_not_logged(caplog, recwarn):
    assert CharacterSet.named("ISO_IR 192").decode(b"A\xffB") == "A\ufffdB"
    assert CharacterSet.named("\\ISO 2022 IR 87").decode(b"A\x1b$B\x01\x02;3\x1bX") != ""
    assert not recwarn
    assert not caplog.text


@pytest.mark.parametrize("name", ["架空\u3000患者", "De\u00a0Souza", "علی\u200cرضا", "ශ්\u200dරී", "a\u200eb", "A-B’C"])
def test_spaces_and_joiners_belong_to_a_name(name):
    assert readable(f" {name} \0") == name


def test_what_disguises_a_name_does_not_belong_to_it():
    assert readable("Doe\u202e^nhoJ\u2066\r\n\ud800") == "Doe^nhoJ"
