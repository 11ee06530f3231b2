"""The filter of the list stands in the address, and holds."""

import re

import pytest

from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.doubts import Doubt
from app.web.services import services
from tests.support.answers import make_prediction, region_mask
from tests.support.film_files import to_dicom
from tests.support.forms import token, upload
from training.releasing.phantom.drawing import draw_phantom

WARNING = Doubt("clipped", "warning", "Much of the film is burnt out.")
ANSWERS = (
    (Finding.INDETERMINATE, 0.4, ()),
    (Finding.POSITIVE, 0.9, ()),
    (Finding.INDETERMINATE, 0.5, (WARNING,)),
    (Finding.NEGATIVE, 0.1, (WARNING,)),
)


@pytest.fixture
def addresses(app, client, monkeypatch) -> list[str]:
    """A film for each answer, each of another patient."""
    film = draw_phantom(1, 320).image
    answers = iter([make_prediction(*said[:2], region_mask(False), doubts=said[2]) for said in ANSWERS])
    monkeypatch.setattr(services(app).predictor, "predict", lambda radiograph: next(answers))
    names = ("Ada", "Berta", "Carla", "Dora")
    return [
        upload(client, (to_dicom(film, PatientName=f"Doe^{name}", PatientID=name), f"{number}.dcm")).location
        for number, name in enumerate(names)
    ]


def position(page: str) -> str:
    return re.search(r'class="muted">(\d+ of \d+[^<]*)</span>', page)[1].strip()


def test_the_place_is_told_among_the_films_that_are_shown(client, addresses):
    first, positive, second, negative = addresses
    assert position(client.get(first).text) == "3 of 4"
    page = client.get(f"{second}?show=indeterminate").text
    assert position(page) == "1 of 2 indeterminate"
    assert f'rel="next" href="{first}?show=indeterminate"' in page
    assert 'rel="prev"' not in page
    assert f'href="/?show=indeterminate#film-{second.rsplit("/", 1)[1]}"' in page
    assert position(client.get(f"{negative}?show=warned").text) == "2 of 2 with warnings"
    assert position(client.get(f"{positive}?find=bERTA").text) == "1 of 1 with “bERTA”"
    assert position(client.get(f"{positive}?show=indeterminate").text) == "1 of 4"  # hidden itself, it stands among all


def test_what_a_reader_says_does_not_end_the_filter(client, addresses):
    first, *_ = addresses
    answer = client.post(f"{first}/verdict?show=indeterminate", data={"csrf_token": token(client), "verdict": "right"})
    assert answer.location == f"{first}?show=indeterminate#feedback"
    answer = client.post(f"{first}/delete?show=indeterminate", data={"csrf_token": token(client)})
    assert answer.location == "/?show=indeterminate"


def test_a_film_is_seen_when_it_is_opened_and_not_when_it_is_fetched_ahead(client, addresses):
    def seen() -> int:
        return client.get("/").text.count('class="state">Seen<')

    assert client.get(addresses[0], headers={"X-Purpose": "prefetch"}).status_code == 200
    assert seen() == 0
    client.get(addresses[0])
    assert seen() == 1
    client.head(addresses[1])
    assert seen() == 2


def test_a_film_fetched_ahead_is_noted_as_such(app, client, addresses):
    for headers in ({"X-Purpose": "prefetch"}, {}):
        client.get(addresses[0], headers=headers)
    deeds = [row.deed if hasattr(row, "deed") else row[2] for row in services(app).studies.audit.rows()]
    assert deeds[-2:] == ["fetched ahead", "saw"]


def test_a_thumbnail_is_small(client, addresses):
    answer = client.get(f"{addresses[0]}/thumbnail.png")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert len(answer.data) < 20_000


def test_a_stale_form_can_be_loaded_anew(client, addresses):
    page = f"http://localhost{addresses[0]}?show=indeterminate"
    answer = client.post(f"{addresses[0]}/verdict", data={"verdict": "right"}, headers={"Referer": page})
    assert answer.status_code == 400
    assert f'href="{addresses[0]}?show=indeterminate">Reload</a>' in answer.text
    answer = client.post(f"{addresses[0]}/verdict", headers={"Referer": "https://elsewhere.example/studies/x"})
    assert 'href="/">Reload</a>' in answer.text


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (lambda client: None, "None yet."),
        (lambda client: client.get("/model"), "None yet."),
        (
            lambda client: client.set_cookie("pleura", "of.another.secret"),
            "does not know this browser session any more",
        ),
    ],
    ids=["first", "elsewhere first", "unknown"],
)
def test_an_empty_list_says_why(app, before, said):
    client = app.test_client()
    before(client)
    assert said in client.get("/").text
