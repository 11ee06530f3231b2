"""How long a film is kept, whose it is, and what a warned answer no longer says."""

import re

import pytest

from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.doubts import doubt
from tests.support.film_files import to_dicom
from tests.support.forms import token, upload
from tests.support.reader import Reader
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(1, 320).image


@pytest.fixture
def place(client) -> str:
    """The address of a film whose file says whose it is."""
    film = to_dicom(
        IMAGE,
        PatientName="Doe^Jane",
        PatientID="4711",
        PatientBirthDate="19530427",
        PatientSex="F",
        StudyDate="20240131",
    )
    return upload(client, (film, "chest.dcm")).location


def test_the_film_says_whose_it_is_in_result_and_list(client, place):
    for page in (client.get(place).text, client.get("/").text):
        shown = re.search(r'<p class="whose identity"[^>]*>(.*?)</p>', page, re.DOTALL)[1]
        assert re.findall(r"<span>(.*?)</span>", shown) == [
            "Doe Jane · 4711",
            "born 1953-04-27 · F",
            "taken 2024-01-31",
        ]


def test_a_film_without_a_patient_names_none(client):
    place = upload(client, (to_dicom(IMAGE, PatientName="", PatientID="", PatientBirthDate="", PatientSex=""), "a.dcm"))
    assert "whose identity" not in client.get(place.location).text


def test_a_reader_may_ask_for_more_time(client, place):
    form = {"csrf_token": token(client)}
    told = client.post(f"{place}/keep", data=form, headers={"X-Requested-With": "XMLHttpRequest"}).json
    assert 3500 < told["seconds_left"] <= 3600
    assert client.post(f"{place}/keep", data=form).location == place
    assert client.post("/studies/none/keep", data=form).status_code == 404


def test_a_warned_film_has_the_warning_in_its_headline_and_no_share_of_a_hundred(app):
    warned = Reader(app, doubts=(doubt("clipped", "A third is white."),))
    page = warned.client.get(warned.place).text
    assert re.search(r"Pneumothorax suspected\s*<span class=\"warned\">· 1 warning</span></span></h1>", page)
    assert "Of 100 films" not in page
    assert "1 warning: the figure may not hold for it" in page


@pytest.mark.parametrize(("finding", "reveal"), [(Finding.POSITIVE, "first"), (Finding.INDETERMINATE, "asked")])
def test_the_overlay_of_an_indeterminate_film_waits_until_it_is_asked_for(app, finding, reveal):
    reader = Reader(app, finding)
    assert f'data-reveal="{reveal}"' in reader.client.get(reader.place).text
