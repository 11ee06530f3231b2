"""What is said of an answer is true of it, whoever asks."""

from dataclasses import replace

import pytest

from app.analysis import wording
from app.segmentation.decision.calibration import Finding, OperatingPoint
from app.segmentation.decision.doubts import NO_REASSURANCE, doubt
from app.segmentation.reading.geometry import Laterality
from app.studies.answer import Film
from app.studies.study import Study
from tests.support.answers import MODEL, REGION, make_answer

STATED = Film("DICOM", 320, 320, None, Laterality.RIGHT, states_side=True)
ASSUMED = replace(STATED, states_side=False)


@pytest.mark.parametrize("finding", list(Finding))
def test_a_conclusion_for_every_finding(finding):
    assert wording.conclusion(make_answer(finding)) == wording.CONCLUSIONS[finding]


def test_every_reason_to_withhold_has_a_clause_of_its_own():
    assert set(wording.REASONS) == set(NO_REASSURANCE)
    said = {wording.conclusion(make_answer("indeterminate", doubts=(doubt(code, "…"),))) for code in NO_REASSURANCE}
    assert said == {f"No answer: {wording.REASONS[code]}" for code in NO_REASSURANCE}
    assert len(said) == len(NO_REASSURANCE)


def test_a_reason_of_another_version_is_told_in_general():
    answer = make_answer("indeterminate", withheld_for="a_later_check")
    assert wording.conclusion(answer) == "No answer: the model cannot judge this film"


@pytest.mark.parametrize(
    ("probability", "printed"),
    [(0, "< 1 %"), (0.0099, "< 1 %"), (0.01, "1 %"), (0.5, "50 %"), (0.99, "99 %"), (0.9901, "> 99 %"), (1, "> 99 %")],
)
def test_no_chance_is_a_certainty(probability, printed):
    assert wording.chance(probability) == printed.replace(" ", "\u00a0"), "a figure and its sign stay on one line"


@pytest.mark.parametrize(
    ("probability", "calibrated_on", "said"),
    [
        (0.004, None, "fewer than 1"),
        (0.995, None, "more than 99"),
        (0.871, None, "about 87"),
        (0.019, {"films": 317, "positive": 55}, "fewer than 2"),
        (0.02, {"films": 317, "positive": 55}, "about 2"),
        (0.9453, {"films": 317, "positive": 55}, "more than 94"),
        (0.2, {"films": 5, "positive": 0}, "fewer than 50"),
    ],
)
def test_a_share_is_told_no_finer_than_the_films_can(probability, calibrated_on, said):
    assert wording.of_100(probability, calibrated_on) == said


def test_what_a_figure_means_at_the_operating_point():
    def meaning(answer):
        return wording.meaning(answer).replace("\u00a0", " ")

    point = replace(MODEL, operating_point=OperatingPoint("no band", 0.5, 0.5, 0.5))
    assert "90 % is above the indeterminate range (30–60 %)" in meaning(make_answer("positive", 0.9))
    assert "90 % is above the operating point (50 %)" in meaning(make_answer("positive", 0.9, model=point))
    assert "10 % is below the indeterminate range (30–60 %)" in meaning(make_answer("negative", 0.1))
    assert "10 % is below the operating point (50 %)" in meaning(make_answer("negative", 0.1, model=point))
    assert "40 % is in the indeterminate range (30–60 %)" in meaning(make_answer("indeterminate", 0.4))
    assert wording.operating_point(MODEL.operating_point) == "specificity 0.90, at 50\u00a0%"


def test_a_side_is_the_patient_s_only_where_the_file_says_so():
    assert wording.side(Laterality.LEFT, STATED) == "patient’s left"
    assert wording.side(Laterality.LEFT, ASSUMED) == "picture’s right"
    assert wording.side(Laterality.RIGHT, ASSUMED) == "picture’s left"
    assert "the patient’s right, as the file says" in wording.side_note(STATED)
    assert "does not say" in wording.side_note(ASSUMED)


def test_sides_on_which_something_is_marked():
    both = (REGION, replace(REGION, laterality=Laterality.RIGHT))
    assert wording.sides(make_answer("positive")) == "nothing"
    assert wording.sides(make_answer("positive", regions=(REGION,), film=STATED)) == "patient’s left"
    assert wording.sides(make_answer("positive", regions=both)) == "both sides"


def test_why_nothing_is_measured():
    spacing = doubt("doubtful_pixel_spacing", "…")
    assert wording.scale_unknown(make_answer()) == "this file does not say how large its pixels are"
    assert "implausible" in wording.scale_unknown(make_answer(doubts=(spacing,)))
    assert wording.no_ruler(make_answer()) == "Ruler off: this file does not say how large its pixels are"
    assert wording.no_ruler(make_answer(doubts=(spacing,))) == "Ruler off: the pixel size in this file is implausible"


def test_a_photograph_of_a_screen_is_called_one():
    assert wording.is_photograph(make_answer(doubts=(doubt("colour_image", "…"),)))
    assert not wording.is_photograph(make_answer(doubts=(doubt("clipped", "…"),)))


def test_why_nothing_is_marked():
    withheld = make_answer("indeterminate", doubts=(doubt("turned", "…"),))
    assert wording.nothing_marked(Study(answer=make_answer())) == "The model marks nothing on this film"
    assert wording.nothing_marked(Study(answer=withheld)) == "Nothing is marked: the answer is withheld"
    drawn = Study(answer=withheld, corrected_png=b"png")
    assert wording.nothing_marked(drawn) == "Your mask marks nothing on this film"


@pytest.mark.parametrize(("count", "told"), [(0, ""), (1, "1 warning"), (3, "3 warnings")])
def test_warnings_are_counted(count, told):
    note = doubt("doubtful_pixel_spacing", "…")
    assert wording.warnings(make_answer(doubts=(note, *[doubt("clipped", "…")] * count))) == told


def test_warnings_stand_before_notes_and_age_can_be_left_out():
    answer = make_answer(doubts=(doubt("age_outside_training", "91 years old."), doubt("clipped", "Much is white.")))
    warning, note = wording.doubts(answer)
    assert (warning.kind, note.kind) == ("Warning", "Note")
    assert warning.text.startswith("Much is white. Send the DICOM file")
    assert note.text.startswith("91 years old. ")
    assert "91" not in " ".join(doubt.text for doubt in wording.doubts(answer, anonymous=True))
    assert wording.doubts(answer, anonymous=True)[1].text.startswith("Age outside training. ")
