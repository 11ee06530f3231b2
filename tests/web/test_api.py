"""The JSON API: its answers, its refusals, and that both are as described."""

import base64
import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from openapi_spec_validator import validate
from sqlalchemy import func, select

from app.segmentation.decision.calibration import Finding
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.radiograph import MAX_BYTES
from app.studies.study import Study
from app.web import problems
from app.web.services import services
from tests.support.answers import DECISION
from tests.support.described import DESCRIPTION, check_against
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

PREDICTIONS = "/api/v1/predictions"
IMAGE = draw_phantom(seed=3, size=320).image[:288]  # not square: width and height must not be swapped
FILM = to_png(IMAGE)
MARK_ALL = replace(DECISION.postprocessing, mask_threshold=0.0, min_film_probability=0.0)
MARK_NOTHING = replace(DECISION.postprocessing, min_film_probability=1.0)


def send(client, film: bytes = FILM, **more):
    return client.post(PREDICTIONS, data={"file": (io.BytesIO(film), "Doe^Jane.png")}, **more)


def check_problem(answer, status: int, code: str) -> dict:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"].endswith(f":{code}")
    check_against("Problem", answer.json)
    return answer.json


def mask_of(answer) -> np.ndarray:
    mask = answer.json["mask"]
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(mask["data"]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded.shape == (mask["height"], mask["width"])
    return decoded


def set_postprocessing(monkeypatch, app, postprocessing) -> None:
    monkeypatch.setattr(services(app).predictor, "decision", replace(DECISION, postprocessing=postprocessing))


def test_answer_is_as_described(client):
    answer = send(client)
    assert answer.status_code == 200
    check_against("Prediction", answer.json)
    assert mask_of(answer).shape == IMAGE.shape


def test_marked_film_of_known_scale(app, client, monkeypatch):
    set_postprocessing(monkeypatch, app, MARK_ALL)
    answer = send(client, to_dicom(IMAGE, ImagerPixelSpacing=[0.8, 0.8]))
    check_against("Prediction", answer.json)
    (region,) = answer.json["regions"]
    assert region["bbox"] == [0, 0, IMAGE.shape[1], IMAGE.shape[0]]
    assert region["area_mm2"] == pytest.approx(0.8**2 * IMAGE.size)
    assert (mask_of(answer) == 255).all()


def test_film_s_scale_and_side_are_those_of_its_header(client):
    film = send(client, to_dicom(IMAGE, ImagerPixelSpacing=[0.8, 0.8], PatientOrientation=["R", "F"])).json["film"]
    height, width = IMAGE.shape
    assert (film["format"], film["width"], film["height"]) == ("DICOM", width, height)
    assert film["pixel_spacing_mm"] == [0.8, 0.8]
    assert (film["image_left"], film["states_side"]) == ("left", True)


def test_a_scale_that_cannot_be_true_is_not_passed_on(client):
    answer = send(client, to_dicom(IMAGE, ImagerPixelSpacing=[0.1, 0.1]))
    assert answer.json["film"]["pixel_spacing_mm"] is None
    assert "doubtful_pixel_spacing" in [found["code"] for found in answer.json["quality"]]


def test_marked_film_of_unknown_scale(app, client, monkeypatch):
    set_postprocessing(monkeypatch, app, MARK_ALL)
    answer = send(client)
    check_against("Prediction", answer.json)
    assert answer.json["regions"][0]["area_mm2"] is None
    assert answer.json["film"]["pixel_spacing_mm"] is None
    assert answer.json["film"]["states_side"] is False


def test_empty_mask_has_the_films_pixels_too(app, client, monkeypatch):
    set_postprocessing(monkeypatch, app, MARK_NOTHING)
    answer = send(client)
    check_against("Prediction", answer.json)
    assert answer.json["regions"] == []
    assert mask_of(answer).shape == IMAGE.shape
    assert not mask_of(answer).any()


def test_same_film_gets_the_same_answer_under_another_id(client):
    first, second = send(client).json, send(client).json
    assert first["id"] != second["id"]
    assert first["probability"] == second["probability"]


def test_nothing_is_kept(app, client):
    send(client)
    with services(app).studies.engine.connect() as connection:
        assert connection.scalar(select(func.count(Study.id))) == 0


def test_neither_takes_nor_sets_cookies(app, client):
    client.get("/")  # a page, which does start a session
    for answer in (send(client), client.get(PREDICTIONS), client.get("/api/v1/openapi.json")):
        assert "Set-Cookie" not in answer.headers
    app.config["API"] = "off"
    assert "Set-Cookie" not in send(client).headers


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({}, "no_file"),
        ({"file": "text, not a file"}, "no_file"),
        ({"film": (io.BytesIO(FILM), "a.png")}, "no_file"),
        ({"file": (io.BytesIO(b""), "a.png")}, "empty_file"),
        ({"file": [(io.BytesIO(FILM), "a.png"), (io.BytesIO(FILM), "b.png")]}, "several_files"),
        ({"file": (io.BytesIO(FILM), "a.png"), "other": (io.BytesIO(FILM), "b.png")}, "several_files"),
        ({"file": (io.BytesIO(FILM[: len(FILM) // 2]), "a.png")}, "truncated_image"),
        ({"file": (io.BytesIO(to_png(IMAGE[:200])), "a.png")}, "image_too_small"),
    ],
)
def test_refused_forms(client, data, code):
    check_problem(client.post(PREDICTIONS, data=data, content_type="multipart/form-data"), 400, code)


def test_refused_body_without_a_form(client):
    check_problem(client.post(PREDICTIONS, data=FILM, content_type="image/png"), 400, "no_file")


def test_refused_format(client):
    check_problem(send(client, b"%PDF-1.7 not a film"), 415, "unsupported_format")


@pytest.mark.parametrize("limit", [2**30, 2**20], ids=["film", "request"])
def test_refused_size(app, client, limit):
    app.config["MAX_CONTENT_LENGTH"] = limit
    check_problem(send(client, bytes(MAX_BYTES + 1)), 413, "file_too_large")


def test_text_field_as_large_as_a_film_is_still_no_file(client):
    check_problem(client.post(PREDICTIONS, data={"file": "x" * 2**20}), 400, "no_file")


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/nothing", "/api/v2/predictions"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_address(client, method, path):
    assert path in check_problem(client.open(path, method=method), 404, "not_found")["detail"]


def test_wrong_method(client):
    answer = client.get(PREDICTIONS)
    check_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", [PREDICTIONS, "/api/v1/openapi.json", "/api/nothing"])
def test_off_says_how_to_switch_it_on(app, client, path):
    app.config["API"] = "off"
    assert "PLEURA_API" in check_problem(client.post(path), 404, "api_off")["detail"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "Bearer tökén", "Basic dG9rZW46", "token"])
def test_refused_token(app, client, header):
    app.config.update(API="token", API_TOKEN="token")
    answer = send(client, headers={"Authorization": header} if header else {})
    check_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_accepted_token(app, client):
    app.config.update(API="token", API_TOKEN="tokén")
    assert send(client, headers={"Authorization": "Bearer tokén"}).status_code == 200


def test_description_needs_no_token(app, client):
    app.config.update(API="token", API_TOKEN="token")
    assert client.get("/api/v1/openapi.json").json == DESCRIPTION


def test_defect_is_logged_and_not_shown(app, client, monkeypatch, caplog):
    def fail(radiograph):
        raise RuntimeError("tensor of /srv/secret")

    monkeypatch.setattr(services(app).predictor, "predict", fail)
    answer = send(client)
    problem = check_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text and "RuntimeError" not in answer.text
    assert problem["incident"] in problem["detail"]
    assert problem["incident"] in caplog.text and "tensor of /srv/secret" in caplog.text


def test_pages_do_not_answer_with_problem_documents(client):
    assert client.get("/nothing").mimetype == "text/html"


def test_description_is_valid():
    validate(DESCRIPTION)


def test_description_knows_every_word():
    schemas = DESCRIPTION["components"]["schemas"]
    assert set(schemas["Prediction"]["properties"]["finding"]["enum"]) == set(Finding)
    assert set(schemas["Region"]["properties"]["laterality"]["enum"]) == set(Laterality)


def test_description_knows_every_status_of_a_refused_film(app):
    described = DESCRIPTION["paths"][PREDICTIONS]["post"]["responses"]
    never_raised_by_a_film = {429, 503, 507}
    raised = {problem.status for problem in problems.PROBLEMS.values()} - never_raised_by_a_film
    assert {str(status) for status in raised} <= set(described)


def test_description_names_only_addresses_that_exist(app):
    known = {rule.rule: rule.methods for rule in app.url_map.iter_rules()}
    for path, operations in DESCRIPTION["paths"].items():
        assert {method.upper() for method in operations} <= known[path]
