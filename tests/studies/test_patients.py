"""What is read of a header so that a patient's films are found, and what is not."""

import pytest

from app.segmentation.reading.image_io import read_radiograph
from app.studies.patients import origin_of
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(1, 256).image
SECRET = "a secret"


def origin(secret: str = SECRET, **attributes: object) -> dict:
    return origin_in(to_dicom(IMAGE, **attributes), secret)


def origin_in(film: bytes, secret: str = SECRET) -> dict:
    return origin_of(read_radiograph(film).header, secret)


def test_films_of_one_patient_share_a_key_that_does_not_name_the_patient():
    first = origin(PatientID="4711", StudyDate="20240131")
    second = origin(PatientID=" 4711 ", StudyDate="20240302")
    assert first["patient_key"] == second["patient_key"]
    assert len(first["patient_key"]) == 64
    assert "4711" not in str(first)
    assert (first["taken_on"], second["taken_on"]) == ("2024-01-31", "2024-03-02")


@pytest.mark.parametrize(
    "other",
    [{"PatientID": "4712"}, {"PatientBirthDate": "19700101"}, {"IssuerOfPatientID": "another hospital"}],
)
def test_another_patient_has_another_key(other):
    assert origin(PatientID="4711")["patient_key"] != origin(**{"PatientID": "4711", **other})["patient_key"]


def test_the_key_cannot_be_tried_out_without_the_secret():
    assert origin(PatientID="4711")["patient_key"] != origin("another secret", PatientID="4711")["patient_key"]


@pytest.mark.parametrize("shared", ["", "0", "000000", "ANONYMOUS", "Anon_12", "N/A", "unknown", "XXXX", "---", None])
def test_a_number_that_many_patients_share_makes_no_patient(shared):
    assert origin(PatientID=shared)["patient_key"] is None


@pytest.mark.parametrize(
    ("attributes", "day"),
    [
        ({"StudyDate": "20240131", "AcquisitionDate": "20240130"}, "2024-01-30"),
        ({"StudyDate": "2024.01.31"}, "2024-01-31"),
        ({"StudyDate": "19010101"}, None),
        ({"StudyDate": ""}, None),
        ({}, None),
    ],
)
def test_the_day_of_the_film(attributes, day):
    assert origin(**attributes)["taken_on"] == day


def test_a_png_says_nothing():
    assert origin_in(to_png(IMAGE)) == {"patient_key": None, "taken_on": None}


def test_a_header_that_makes_no_sense_says_nothing_and_is_not_logged(caplog, recwarn):
    film = to_dicom(IMAGE, PatientID="4711" * 16, StudyDate="20240131")
    film = film.replace(b"20240131", b"2024\xff\xfe31").replace(b"4711" * 16, b"4711\x1b\\" + b"4711" * 14 + b"47")
    recwarn.clear()
    assert origin_in(film)["taken_on"] is None
    assert not recwarn
    assert not caplog.text
