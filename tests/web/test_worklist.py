"""The order in which films are to be read, and the comparison of a patient's films."""

import io
import itertools
import re

import numpy as np
import pytest

from app.segmentation.decision.doubts import UNFAMILIAR, Doubt
from app.studies.drawing import mask_png
from app.studies.reading_order import GROUPS, Worklist, group_of, in_order, order_of
from app.studies.store import Study
from tests.support.answers import make_answer
from tests.support.forms import token, upload
from tests.support.phantom import draw_phantom, to_dicom

NUMBER = "MRN 4711"
"""Of a patient. No time, hash or address on a page could hold it by chance, as they might hold mere digits."""
WARNING = Doubt("clipped", "warning", "…")


def study(
    name: str, finding: str = "negative", probability: float = 0.1, *, doubts: tuple = (), at: float = 1e9, **more
) -> Study:
    answer = make_answer(finding, probability, doubts)
    return Study(id=name, owner="ann", file_name=name, created_at=at, answer=answer, **more)


IN_ORDER = (
    study("sure", "positive", 0.9, at=1e9 + 5),
    study("likely", "positive", 0.7, doubts=(WARNING,)),
    study("unfamiliar", "indeterminate", 0.01, doubts=(UNFAMILIAR,)),
    study("perhaps", "indeterminate", 0.5),
    study("hardly", "indeterminate", 0.4),
    study("doubtful", "negative", 0.02, doubts=(WARNING,)),
    study("low", "negative", 0.2),
    study("early", "negative", 0.1),
    study("late", "negative", 0.1, at=1e9 + 1),
)


def test_films_are_read_in_the_order_of_suspicion_whatever_the_order_of_their_arrival():
    names = [film.id for film in IN_ORDER]
    for films in itertools.islice(itertools.permutations(IN_ORDER), 0, 300_000, 997):
        assert [film.id for film in in_order(films)] == names


def test_a_film_the_model_does_not_know_stands_above_every_film_it_did_not_suspect():
    stranger = study("stranger", "indeterminate", 0.0, doubts=(UNFAMILIAR,))
    assert [film.id for film in in_order([*IN_ORDER, stranger])].index("stranger") in (2, 3)


def test_a_later_film_never_sinks_an_equal_one():
    assert [film.id for film in in_order([study("b", at=1e9 + 0.001), study("a", at=1e9)])] == ["a", "b"]


def test_the_page_s_script_sorts_as_the_server_does():
    """It compares the texts of `order_of` within a group."""
    for group in GROUPS:
        films = [film for film in reversed(IN_ORDER) if group_of(film) == group]
        assert [film.id for film in sorted(films, key=order_of)] == [film.id for film in in_order(films)]
    assert {group_of(film).code for film in IN_ORDER} == {group.code for group in GROUPS}


def test_neighbours():
    worklist = Worklist(IN_ORDER)
    assert worklist.neighbours(IN_ORDER[0]) == (None, IN_ORDER[1])
    assert worklist.neighbours(IN_ORDER[4]) == (IN_ORDER[3], IN_ORDER[5])
    assert worklist.neighbours(IN_ORDER[-1]) == (IN_ORDER[-2], None)
    assert worklist.neighbours(study("gone")) == (None, None)


def test_only_films_whose_file_names_the_patient_are_of_one_patient():
    films = [study("a", patient_key="p", taken_on="2024-03-01"), study("b", patient_key="p", taken_on="2024-01-01")]
    films += [study("c", patient_key="q"), study("d"), study("e"), study("f", patient_key="p", taken_on=None)]
    worklist = Worklist(films)
    assert [film.id for film in worklist.others_of_patient(films[0])] == ["b", "f"]
    assert worklist.others_of_patient(films[2]) == worklist.others_of_patient(films[3]) == []


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
    assert "Compare with\n    2 other films of this patient" in client.get(march).text


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


def test_the_header_s_number_is_nowhere_on_the_pages(client, of_one_patient):
    for address in ("/", of_one_patient[0], f"{of_one_patient[0]}/compare"):
        assert NUMBER not in client.get(address).text
