"""What is somebody else's is not there, by whatever route or cookie it is asked for; nor is what goes meanwhile."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app.studies.drawing import mask_png
from app.web.services import services
from tests.support.film_files import to_dicom
from tests.support.forms import upload
from training.releasing.phantom.drawing import draw_phantom

FILM = to_dicom(draw_phantom(1, 256).image, PatientName="Doe^Jane", PatientID="D-4711")


@pytest.fixture
def place(app, client) -> str:
    """The address of a film of the first session; forms need no token from here on."""
    place = upload(client, (FILM, "film.dcm")).location
    app.config["WTF_CSRF_ENABLED"] = False
    return place


def routes(app) -> list[tuple[str, str]]:
    """Method and rule of every address that names a study."""
    return [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if "study_id" in rule.arguments
        for method in sorted(rule.methods - {"OPTIONS"})
    ]


def owner_of(client) -> str:
    """Name of a browser's session."""
    with client.session_transaction() as session:
        return session["owner"]


def test_no_route_leads_to_another_session_s_film(app, client, place):
    study_id = place.rsplit("/", 1)[1]
    stranger = app.test_client()
    own = upload(stranger, (FILM, "own.dcm")).location.rsplit("/", 1)[1]
    assert len(routes(app)) > 20
    for method, rule in routes(app):
        for mine, other in ((study_id, study_id), (study_id, own), (own, study_id)):
            if mine == own and "<other_id>" not in rule:
                continue
            address = rule.replace("<study_id>", mine).replace("<other_id>", other).replace("<file>", "answer.json")
            form = {"mask": (io.BytesIO(mask_png(np.ones((256, 256), bool))), "mask.png"), "verdict": "right"}
            answer = stranger.open(address, method=method, data=form if method == "POST" else None)
            assert answer.status_code == 404, f"{method} {address}"
            assert b"Doe" not in answer.data
    study = services(app).studies.list_of(owner_of(client))[0]
    assert (study.id, study.verdict) == (study_id, None)


def test_options_tell_nothing_of_a_film(app, client, place):
    known, unknown = (app.test_client().options(address) for address in (place, "/studies/nowhere"))
    assert (known.status_code, known.data, known.headers["Allow"]) == (200, b"", unknown.headers["Allow"])


@pytest.mark.parametrize("at", [0, 10, -30, -20, -2])
def test_a_cookie_that_was_changed_is_none(app, client, place, at):
    cookie = client.get_cookie("pleura").value
    changed = list(cookie)
    changed[at] = "A" if changed[at] != "A" else "Q"
    stranger = app.test_client()
    stranger.set_cookie("pleura", "".join(changed))
    assert stranger.get(place).status_code == 404
    stranger.set_cookie("pleura", cookie)
    assert stranger.get(place).status_code == 200


@pytest.mark.parametrize(
    "cookie", ["", ".", "..", "a.b.c", "." * 4000, "é", '{"owner": "ann"}', ".eJw" + "A" * 3000 + ".a.b"]
)
def test_a_cookie_that_is_none_opens_a_new_session(app, cookie):
    stranger = app.test_client()
    assert stranger.get("/", headers={"Cookie": f"pleura={cookie}".encode().decode("latin-1")}).status_code == 200


@pytest.mark.parametrize("export", ["report.pdf", "report.dcm", "answer.json"])
def test_a_film_that_is_deleted_while_it_is_exported(app, client, export):
    place = upload(client, (FILM, "film.dcm")).location
    app.config["WTF_CSRF_ENABLED"] = False
    cookie = client.get_cookie("pleura").value

    def ask(number: int) -> int:
        browser = app.test_client()
        browser.set_cookie("pleura", cookie)
        if number == 4:
            return browser.post(f"{place}/delete").status_code
        return browser.get(f"{place}/exports/{export}").status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(ask, range(9)))
    assert statuses[4] == 303
    assert set(statuses) <= {200, 303, 404, 503}
    assert client.get(place).status_code == 404
