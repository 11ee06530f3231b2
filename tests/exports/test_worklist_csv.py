"""The worklist as a table: its order, its words, and names that would be formulas."""

import csv
import io

import pytest

from app.exports.worklist_csv import worklist_csv
from app.segmentation.decision.doubts import UNFAMILIAR
from app.segmentation.notice import NOTICE
from app.studies.reading_order import in_order
from tests.support.answers import MODEL
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

PHANTOM = draw_phantom(2, 256)


def table(studies) -> list[dict[str, str]]:
    text = worklist_csv(studies).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_rows_say_what_the_list_says_in_its_order(make_exported):
    film, mask = to_png(PHANTOM.image), PHANTOM.true_mask
    studies = [
        make_exported(film, mask & False, "negative", 0.0312, file_name="quiet.png", taken_on="2024-01-31").study,
        make_exported(film, mask, "positive", 0.9, file_name='Łucja, "left".png', verdict="right").study,
        make_exported(film, mask & False, "indeterminate", 0.6, (UNFAMILIAR,), file_name="hand.png").study,
    ]
    first, second, third = table(in_order(studies))
    assert (first["position"], first["file"]) == ("1", 'Łucja, "left".png')
    assert (first["group"], first["finding"], first["probability"]) == ("Suspected", "positive", "0.9000")
    regions = str(len(studies[1].answer.regions))
    assert (first["marked"], first["side_stated"], first["regions"]) == ("picture right", "no", regions)
    assert first["reader"] == "right"
    assert (second["file"], second["probability"], second["warnings"]) == ("hand.png", "", "unlike_training_films")
    assert (second["finding"], second["withheld_for"]) == ("indeterminate", "unlike_training_films")
    assert (third["file"], third["probability"], third["taken_on"]) == ("quiet.png", "0.0312", "2024-01-31")
    for row in (first, second, third):
        assert (row["model"], row["model_sha256"], row["notice"]) == ("tiny", MODEL.sha256, NOTICE)


def test_a_side_is_the_patient_s_only_where_the_file_says_so(make_exported):
    image, mask, orientation = PHANTOM.image, PHANTOM.true_mask, ["R", "F"]
    mirrored = make_exported(to_dicom(image, PatientOrientation=orientation), mask)
    silent = make_exported(to_dicom(image, PatientOrientation=None), mask)
    rows = table([mirrored.study, silent.study])
    assert [(row["marked"], row["side_stated"]) for row in rows] == [("patient right", "yes"), ("picture right", "no")]


@pytest.mark.parametrize(
    "name",
    [
        *("=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", "|calc.png", "＝1+1.png", "＋1.png", "－1.png", "＠A1.png"),
        *("\t=1.png", " ＝1.png", "\u00a0=1.png", "\ufeff=1.png", "\0=1.png", "\u200b\u202e=1.png"),
    ],
)
def test_a_name_is_no_formula(make_exported, name):
    (row,) = table([make_exported(to_png(PHANTOM.image), PHANTOM.true_mask, file_name=name).study])
    assert row["file"].startswith("'")
    assert row["file"].replace("\\", "").endswith(name)


@pytest.mark.parametrize("name", ["a=1.png", " blank.png", "\ufeffmark.png", "'=1.png", ""])
def test_any_other_name_stays_as_it_is(make_exported, name):
    (row,) = table([make_exported(to_png(PHANTOM.image), PHANTOM.true_mask, file_name=name).study])
    assert row["file"] == name


def test_an_empty_list_has_its_header():
    assert worklist_csv([]).decode("utf-8-sig").startswith("position,group,file,finding,probability,")
