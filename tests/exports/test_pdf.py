"""The report: one page, whatever it must hold, and what it says."""

import io

import numpy as np
import pytest
from pypdf import PdfReader

from app.analysis.wording import REASONS
from app.exports.pdf import report_pdf
from app.segmentation.decision.doubts import UNFAMILIAR, doubt
from app.segmentation.notice import NOTICE
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

PHANTOM = draw_phantom(2, 320)
PATIENT = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Żółć^Łucja", "PatientID": "MRN 4711"}


def read(exported, anonymous: bool = False) -> tuple[PdfReader, str]:
    report = PdfReader(io.BytesIO(report_pdf(exported, anonymous)))
    text = report.pages[0].extract_text().replace("\xa0", " ")
    return report, " ".join(text.split())


def test_it_says_what_the_page_says(make_exported):
    found = doubt("clipped", "Details may have been cut off.")
    film = to_dicom(PHANTOM.image, StudyDate="19870131", **PATIENT)
    report, text = read(make_exported(film, PHANTOM.true_mask, "positive", 0.87, doubts=(found,)))
    assert len(report.pages) == 1
    assert len(report.pages[0].images) == 1
    for expected in (
        "Pneumothorax suspected",
        "87 %",
        "Operating point: specificity 0.90, at 50 %. Indeterminate from 30 % to 60 %.",
        "Patient’s left",
        "mm² at the detector",
        "Warning: Details may have been cut off. Send the DICOM file: it keeps what a copy cuts off.",
        "Żółć Łucja",
        "ID MRN 4711",
        "study of 1987-01-31",
        "chest.dcm",
        "tiny, SHA-256 0123456789ab",
        NOTICE,
    ):
        assert expected in text
    assert NOTICE in report.metadata.subject


def test_whose_film_it_is_can_be_left_out(make_exported):
    film = to_dicom(PHANTOM.image, StudyDate="19870131", **PATIENT)
    age = doubt("under_18", "The patient is 12 years old.")
    report, text = read(make_exported(film, PHANTOM.true_mask, file_name="Łucja.dcm", doubts=(age,)), anonymous=True)
    for secret in ("Łucja", "MRN 4711", "1987", "12 years"):  # no time stamp can hold these
        assert secret not in text + str(report.metadata)
    assert "Patient left out on request" in text
    assert "Warning: Under 18. Do not rely on the answer for a child" in text


def test_without_whose_film_it_is_no_time_is_told_either(make_exported):
    reports = [
        read(make_exported(to_png(PHANTOM.image), PHANTOM.true_mask, created_at=when), anonymous=True)[0]
        for when in (1_700_000_000.0, 1_800_000_000.0)
    ]
    assert {report.metadata["/CreationDate"][:16] for report in reports} == {"D:19000101000000"}


def test_warnings_stand_before_notes(make_exported):
    doubts = doubt("burned_in_text", "There is text."), doubt("turned", "It lies on its side.")
    _, text = read(make_exported(to_png(PHANTOM.image), PHANTOM.true_mask, doubts=doubts))
    assert 0 < text.index("Warning: It lies on its side. Turn") < text.index("Note: There is text. See")


def test_a_negative_finding_is_not_printed_as_a_certainty(make_exported):
    _, text = read(make_exported(to_png(PHANTOM.image), PHANTOM.true_mask & False, "negative", 0.002))
    assert "No pneumothorax seen by the model" in text
    assert "< 1 %" in text
    assert "A negative finding does not rule one out." in text
    assert "The model marks nothing." in text


def test_an_unfamiliar_film_gets_no_figure(make_exported):
    _, text = read(
        make_exported(to_png(PHANTOM.image), PHANTOM.true_mask & False, "indeterminate", 0.613, (UNFAMILIAR,))
    )
    assert f"No answer: {REASONS[UNFAMILIAR.code]}" in text
    assert f"None: {REASONS[UNFAMILIAR.code]}." in text
    assert "61 %" not in text
    assert "Nothing is marked: the answer is withheld." in text
    assert "None: the answer is withheld." in text
    assert "The model marks nothing" not in text


def test_the_reader_s_mask_and_verdict_are_named(make_exported):
    corrected = PHANTOM.true_mask[:, ::-1]
    _, text = read(make_exported(to_png(PHANTOM.image), PHANTOM.true_mask, corrected=corrected, verdict="wrong"))
    assert "Areas marked by the reader 1. Picture’s left" in text
    assert "patient’s right, if displayed as usual" in text
    assert "The reader says that the model is wrong." in text


TOGETHER = [
    *("unlike_training_films", "not_frontal", "not_chest", "unknown_modality", "under_18", "doubtful_pixel_spacing"),
    *("burned_in_text", "low_resolution", "unusual_aspect_ratio", "colour_image", "unusual_exposure"),
    *("inverted_corrected", "inverted_suspected"),
]
"""As many doubts as one film can give: of the others each excludes one of these."""


@pytest.mark.parametrize("shape", [(256, 1200), (1200, 256)])
def test_it_stays_one_page_and_within_it(make_exported, shape):
    """Every doubt at once, many regions, a long and foreign name."""
    image = np.full(shape, 0.5, dtype=np.float32)
    mask = np.zeros(shape, dtype=bool)
    mask[::40, ::40] = True
    doubts = tuple(doubt(code, 14 * "long words " + f"{code}.") for code in TOGETHER)
    film = to_dicom(image, **PATIENT | {"PatientName": "山田^太郎" + 20 * "Long"})
    report, text = read(make_exported(film, mask, corrected=mask, doubts=doubts, file_name=120 * "山"))
    assert len(report.pages) == 1
    assert "Time taken" in text
    for found in doubts:
        assert f"{found.code}. {found.advice}" in text
    bottoms = []
    report.pages[0].extract_text(
        visitor_text=lambda text, _, matrix, *__: bottoms.append(matrix[5]) if text.strip() else None
    )
    assert min(bottoms) > 20
    assert sorted(bottoms)[1] > 45  # nothing runs into the last line, the notice


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Żółć^Łucja", "Żółć Łucja"),
        ("Παπαδοπούλου^Μαρία", "Παπαδοπούλου Μαρία"),
        ("Иванов^Иван", "Иванов Иван"),
        ("Çavuşoğlu^Œ", "Çavuşoğlu Œ"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada Tarou 山田 太郎"),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "ﾔﾏﾀﾞ ﾀﾛｳ 山田 太郎"),
        ("=山田^太郎=やまだ^たろう", "山田 太郎"),
        ("==やまだ^たろう", "やまだ たろう"),
        ("架空\u3000患者", "架空 患者"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "Hong Gildong 洪 吉洞"),
        ("홍^길동", "홍 길동"),
        ("Zhang^XiaoDong=张^小东", "Zhang XiaoDong 张 小东"),
        ("นามสกุล", "นามสกุล"),
        ("शर्मा^राम", "शर्मा राम"),
        ("ශ්\u200dරී^නිමල්", "ශ්\u200dරී නිමල්"),
        ("قباني^لنزار", "قباني لنزار"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("שרון^דבורה", "שרון דבורה"),
        ("𓀀𓀁", "Name in characters that this report cannot print"),
        ("𓀀𓀁=山田^太郎", "山田 太郎"),
    ],
)
def test_a_name_is_printed_whole_or_said_to_be_missing(make_exported, caplog, name, printed):
    film = to_dicom(PHANTOM.image, **PATIENT | {"PatientName": name})
    _, text = read(make_exported(film, PHANTOM.true_mask))
    shown = text.split("diagnosis or treatment. ")[1].split(" ID MRN 4711")[0]
    assert "".join(character for character in shown if character >= " ") == printed  # glyphs of two letters count anew
    assert "□" not in text
    assert [record for record in caplog.records if not record.name.startswith("app.")] == []


def test_letters_of_a_name_are_joined_as_their_script_demands(make_exported):
    """Joined letters are other glyphs: three times the same one, alone and joined, draws three."""
    film = to_dicom(PHANTOM.image, **PATIENT | {"PatientName": "ههه"})
    report, _ = read(make_exported(film, PHANTOM.true_mask))
    fonts = report.pages[0]["/Resources"]["/Font"].values()
    mapped = "".join(font["/ToUnicode"].get_object().get_data().decode("latin-1") for font in fonts)
    assert mapped.upper().count("<0647>") == 3


def test_a_name_of_any_length_leaves_room_for_the_rest(make_exported):
    film = to_dicom(PHANTOM.image, **PATIENT | {"PatientName": "Ä" * 4000, "PatientID": "7" * 4000})
    report, text = read(make_exported(film, PHANTOM.true_mask))
    assert len(report.pages) == 1
    assert f"{'Ä' * 64}…" in text
    assert f"ID {'7' * 64}…" in text
