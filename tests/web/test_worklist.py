"""The comparison of a patient's films."""

import io
import re

import numpy as np
import pytest

from app.studies.drawing import mask_png
from tests.support.film_files import to_dicom
from tests.support.forms import token, upload
from training.releasing.phantom.drawing import draw_phantom

NUMBER = "MRN 4711"
"""Of a patient. No time, hash or address on a page could hold it by chance, as they might hold mere digits."""


@pytest.fixture
def of_one_patient(client) -> list[str]:
    """Addresses of three films of one patient and one of another, not uploaded in the order of their days."""
    days = {"march": "20240302", "january": "20240131", "february": "20240201", "other": "20240101"}
    films = {
        name: to_dicom(draw_phantom(seed, 256).image, PatientID="other" if name == "other" else NUMBER, StudyDate=day)
        for seed, (name, day) in enumerate(days.items())
    }
    return [upload(client, (film, f"{name}.dcm")).location for name, film in films.items()]


def days_of(page: str) -> list[str]:
    return re.findall(r'class="day">([\d-]+) ', page)


def test_a_patient_s_films_side_by_side_the_earlier_first(client, of_one_patient):
    march, january, february, _ = of_one_patient
    page = client.get(f"{march}/compare").text
    assert days_of(page) == ["2024-02-01", "2024-03-02"]  # the last film before it
    assert "They are 30 days apart." in page
    assert days_of(client.get(f"{january}/compare").text) == ["2024-01-31", "2024-02-01"]
    page = client.get(f"{march}/compare/{january.rsplit('/', 1)[1]}").text
    assert days_of(page) == ["2024-01-31", "2024-03-02"]
    assert f'href="{march}/compare/{february.rsplit("/", 1)[1]}"' in page
    assert "Compare with 2 other films of this patient" in client.get(march).text


def test_the_reader_s_mask_stands_in_the_place_of_the_model_s(client, of_one_patient):
    march, *_ = of_one_patient
    for drawn, words in ((True, "The area that you marked on it"), (False, "Your mask marks nothing on this film")):
        mask = io.BytesIO(mask_png(np.full((256, 256), drawn)))
        form = {"csrf_token": token(client), "mask": (mask, "mask.png")}
        assert client.post(f"{march}/correct", data=form).status_code == 303
        assert words in client.get(f"{march}/compare").text


def test_films_of_different_patients_are_not_compared(client, of_one_patient):
    march, *_, other = of_one_patient
    for address in (f"{other}/compare", f"{march}/compare/{other.rsplit('/', 1)[1]}", f"{march}/compare/nothing"):
        assert client.get(address).status_code == 404
    assert "of this patient" not in client.get(other).text


def test_another_session_compares_nothing(app, client, of_one_patient):
    stranger = app.test_client()
    assert stranger.get(f"{of_one_patient[0]}/compare").status_code == 404


def test_the_header_s_number_stands_only_where_the_page_says_whose_film_it_is(client, of_one_patient):
    for address in ("/", of_one_patient[0], f"{of_one_patient[0]}/compare"):
        page = client.get(address).text
        assert NUMBER in page
        assert NUMBER not in re.sub(r'<p class="whose identity".*?</p>', "", page, flags=re.DOTALL)
