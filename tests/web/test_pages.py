"""The pages, as a browser without scripts and as our own script ask for them."""

import base64
import dataclasses
import io
import re

import cv2
import numpy as np
import pytest

from app import create_app
from app.analysis.wording import REASONS
from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.doubts import DOUBTS, NO_REASSURANCE, Doubt, doubt
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.radiograph import MAX_BYTES
from app.web.services import services
from tests.support.answers import REGION, make_prediction, region_mask
from tests.support.film_files import to_dicom, to_png
from tests.support.forms import token, upload
from training.releasing.phantom.drawing import draw_phantom

HTTPS = "https://pleura.example"


@pytest.fixture(scope="module")
def film() -> bytes:
    """A synthetic film as a PNG of 320 × 320 pixels."""
    return to_png(draw_phantom(1, 320).image)


@pytest.fixture
def with_prediction(app, monkeypatch):
    """Have the model give an answer of the test's choice."""

    def choose(
        finding: Finding,
        probability: float,
        *,
        marked: bool = False,
        on_both_sides: bool = False,
        area_mm2: float | None = 1234.4,
        doubts: tuple = (),
    ) -> None:
        region = dataclasses.replace(REGION, area_mm2=area_mm2)
        regions = (region, dataclasses.replace(region, laterality=Laterality.RIGHT))[: marked + on_both_sides]
        answer = make_prediction(finding, probability, region_mask(marked), regions, doubts, total_ms=90_000.0)
        monkeypatch.setattr(services(app).predictor, "predict", lambda radiograph: answer)

    return choose


def test_the_maps_of_a_study_come_in_the_networks_own_geometry(client, film, with_prediction):
    with_prediction(Finding.POSITIVE, 0.8712, marked=True)
    address = upload(client, (film, "chest.png")).location
    for name, brightest in (("probability", 204), ("disagreement", 26)):
        answer = client.get(f"{address}/{name}.png")
        picture = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert (picture.shape, int(picture.max())) == ((64, 64), brightest)


def test_one_film_leads_to_its_result(client, film, with_prediction):
    with_prediction(Finding.POSITIVE, 0.8712, marked=True)
    answer = upload(client, (film, "chest.png"))
    assert answer.status_code == 303
    page = client.get(answer.location).text
    for expected in (
        "Pneumothorax suspected",
        "chest.png",
        "<strong>87\u00a0%</strong> probability",
        "Of 100 films scored like this, about 87 had a pneumothorax",
        "operating point 50\u00a0%",
        "indeterminate from 30\u00a0% to 60\u00a0%",
        "90 of 100 without a pneumothorax lie below it",
        "Mean of the map",
        "Marked on the picture’s right",
        "patient’s left, if displayed as usual",
        "2.34\u00a0% of the film",
        "1,234 mm² at the detector",
        "Research use only",
        "tiny",
        services(client.application).predictor.sha256[:12],
        'data-seconds-left="3600"',
        'd="M200.5 40.5',
    ):
        assert expected in page, expected
    assert re.search(r"Time taken</dt><dd>90\.\d\d s", page)


@pytest.mark.parametrize(
    ("finding", "probability", "sentence"),
    [
        (Finding.NEGATIVE, 0.04, "No pneumothorax seen by the model"),
        (Finding.INDETERMINATE, 0.45, "Indeterminate: the model is not sure"),
    ],
)
def test_other_findings_in_words(client, film, with_prediction, finding, probability, sentence):
    with_prediction(finding, probability)
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert sentence in page
    assert "marks nothing on this film" in page
    assert '<svg class="overlay"' not in page
    assert ("does not rule one out" in page) == (finding == Finding.NEGATIVE)
    assert "no area is sure enough" not in page


@pytest.mark.parametrize(
    ("probability", "figure", "share"),
    [
        (0.0, "&lt;\u00a01\u00a0%", "fewer than 1"),
        (0.0099, "&lt;\u00a01\u00a0%", "fewer than 1"),
        (0.01, "1\u00a0%", "about 1"),
        (0.99, "99\u00a0%", "about 99"),
        (0.996, "&gt;\u00a099\u00a0%", "more than 99"),
        (1.0, "&gt;\u00a099\u00a0%", "more than 99"),
    ],
)
def test_no_probability_is_a_certainty(client, film, with_prediction, probability, figure, share):
    with_prediction(Finding.POSITIVE, probability)
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert f"<strong>{figure}</strong> probability" in page
    assert f"Of 100 films scored like this, {share} had a pneumothorax" in page
    assert f'data-label="Probability" class="figure">{figure}\n' in client.get("/").text


@pytest.mark.parametrize(
    ("probability", "share"),
    [(0.01, "fewer than 2"), (0.019, "fewer than 2"), (0.02, "about 2"), (0.94, "about 94"), (0.9453, "more than 94")],
)
def test_a_share_is_not_told_more_finely_than_the_films_can(
    app, client, film, with_prediction, monkeypatch, probability, share
):
    monkeypatch.setitem(services(app).predictor.metadata.metrics, "val", {"films": 317, "positive": 55})
    with_prediction(Finding.POSITIVE, probability)
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert f"Of 100 films scored like this, {share} had a pneumothorax" in page
    assert "(estimated from 317 films, 55 of them positive)" in " ".join(page.split())


def test_a_handful_of_films_tells_next_to_nothing(app, client, film, with_prediction, monkeypatch):
    monkeypatch.setitem(services(app).predictor.metadata.metrics, "val", {"films": 5, "positive": 0})
    with_prediction(Finding.NEGATIVE, 0.2)
    assert "scored like this, fewer than 50 had" in client.get(upload(client, (film, "chest.png")).location).text


def test_areas_on_both_sides(client, film, with_prediction):
    with_prediction(Finding.POSITIVE, 0.8, marked=True, on_both_sides=True)
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert "Marked on both sides" in page
    assert re.findall(r"Picture’s (?:left|right)", page) == ["Picture’s right", "Picture’s left"]
    assert "both sides" in client.get("/").text


def test_positive_film_without_a_marked_area(client, film, with_prediction):
    with_prediction(Finding.POSITIVE, 0.7)
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert "The film as a whole looks positive, but no area is sure enough to be marked." in page


@pytest.mark.parametrize(
    ("doubts", "sentence"),
    [
        ((), "This file does not say how large its pixels are."),
        ((Doubt("doubtful_pixel_spacing", "info", "…"),), "The pixel size in this file is implausible."),
    ],
)
def test_why_an_area_has_no_size(client, film, with_prediction, doubts, sentence):
    with_prediction(Finding.POSITIVE, 0.7, marked=True, area_mm2=None, doubts=doubts)
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert sentence in page
    assert "Ruler off: " in page
    assert "mm²" not in page


@pytest.mark.parametrize("code", NO_REASSURANCE)
def test_a_withheld_answer_gives_its_own_reason(client, film, with_prediction, code):
    with_prediction(Finding.INDETERMINATE, 0.97, doubts=(doubt(code, "This does not look like a chest film."),))
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert f'No answer: {REASONS[code]} <span class="warned">· 1 warning</span></span></h1>' in page
    assert f"There is nothing to explain: {REASONS[code]}, and its figure means nothing." in page
    assert not any(reason in page for other, reason in REASONS.items() if other != code)
    assert "<strong>Warning:</strong>\n      This does not look like a chest film." in page
    assert f"<p>It cannot tell. This does not look like a chest film.</p>\n  <p>{DOUBTS[code][1]}</p>" in page
    assert "97\u00a0%, means nothing here" in page
    assert "Of 100 films" not in page
    assert "probability.png" not in page
    assert '<svg class="scale"' not in page
    card = upload(client, (film, "chest.png"), script=True).text
    assert f"<strong>No answer: {REASONS[code]}</strong>" in card
    assert '<span class="warned">1 warning</span>' in card
    assert "97\u00a0%" not in card


def test_an_alarm_stands_whatever_the_film(client, film, with_prediction):
    with_prediction(Finding.POSITIVE, 0.97, marked=True, doubts=(doubt("turned", "It lies on its side."),))
    page = client.get(upload(client, (film, "chest.png")).location).text
    assert 'Pneumothorax suspected <span class="warned">· 1 warning</span></span></h1>' in page
    assert "<strong>97\u00a0%</strong>" in page
    assert "<strong>Warning:</strong>\n      It lies on its side." in page


@pytest.mark.parametrize(("count", "told"), [(0, ""), (1, ", 1 warning"), (3, ", 3 warnings")])
def test_list_tells_how_many_warnings(client, film, with_prediction, count, told):
    note = Doubt("doubtful_pixel_spacing", "info", "…")
    with_prediction(Finding.NEGATIVE, 0.04, doubts=(note, *[Doubt("clipped", "warning", "…")] * count))
    card = upload(client, (film, "chest.png"), script=True).text
    assert f'data-summary="chest.png: No pneumothorax seen by the model{told}"' in card
    assert re.findall(r'class="warned">(.*?)<', card) == ([told.removeprefix(", ")] if told else [])


def test_the_real_model_s_film_and_mask_are_sent_in_their_own_pixels(client, film):
    place = upload(client, (film, "chest.png")).location
    for name in ("film", "mask"):
        answer = client.get(f"{place}/{name}.png")
        assert answer.mimetype == "image/png"
        assert answer.headers["Cache-Control"] == "no-store"
        assert cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_UNCHANGED).shape == (320, 320)


def test_several_films_lead_to_the_list(client, film):
    answer = upload(client, (film, "one.png"), (film, "two.png"))
    assert (answer.status_code, answer.location) == (303, "/")
    page = client.get("/").text
    assert page.index("one.png") < page.index("two.png")  # equals: first come, first read


def test_a_film_that_fails_does_not_keep_others_from_their_answer(client, film):
    answer = upload(client, (film, "good.png"), (b"hello", "letter.txt"), (film[:5000], "cut.png"))
    assert answer.status_code == 415
    for expected in ("good.png", "letter.txt", "unsupported_format", "cut.png", "truncated_image"):
        assert expected in answer.text
    assert "letter.txt" not in client.get("/").text
    assert "good.png" in client.get("/").text


def test_an_empty_file(client):
    answer = upload(client, (b"", "empty.dcm"))
    assert answer.status_code == 400
    assert "empty_file" in answer.text


def test_no_film_chosen(client):
    answer = upload(client, (b"", ""))
    assert answer.status_code == 400
    assert "no_file" in answer.text


def test_a_script_gets_what_to_show_in_the_list(client, film):
    answer = upload(client, (film, "chest.png"), script=True)
    assert answer.status_code == 201
    assert '<tr class="outcome' in answer.text
    assert "<header" not in answer.text
    answer = upload(client, (b"hello", "letter.txt"), script=True)
    assert answer.status_code == 415
    assert '<tr class="outcome failed"' in answer.text
    assert "This is not a DICOM, PNG, JPEG or WebP file." in answer.text


def test_a_forged_form_is_refused(client, film):
    answer = client.post("/studies", data={"films": (io.BytesIO(film), "chest.png")})
    assert answer.status_code == 400
    assert "form_expired" in answer.text
    place = upload(client, (film, "chest.png")).location
    assert client.post(f"{place}/delete").status_code == 400
    assert client.get(place).status_code == 200


def test_an_upload_that_is_too_large_as_a_whole(app, client, film):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = client.post("/studies", data={"films": (io.BytesIO(film), "chest.png")})
    assert answer.status_code == 413
    assert "file_too_large" in answer.text


def test_one_file_over_the_limit_is_read_and_refused(client):
    answer = upload(client, (bytes(MAX_BYTES + 1), "huge.dcm"))
    assert answer.status_code == 413
    assert "file_too_large" in answer.text
    assert "huge.dcm" in answer.text


def test_a_file_s_name_is_shown_but_never_obeyed(client, film):
    upload(client, (film, "../<script>alert(1)</script>\n" + 200 * "x" + ".png"))
    page = client.get("/").text
    assert "<script>alert" not in page
    upload(client, (film, "C:\\patients\\<b>doe</b>.png"))
    page = client.get("/").text
    assert "b&gt;.png" in page
    assert "patients" not in page


def test_another_session_gets_nothing_of_a_study(app, client, film):
    place = upload(client, (film, "chest.png")).location
    stranger = app.test_client()
    for path in (place, f"{place}/film.png", f"{place}/mask.png"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert "not_found" in answer.text
    answer = stranger.post(f"{place}/delete", data={"csrf_token": token(stranger)})
    assert answer.status_code == 404
    assert "chest.png" not in stranger.get("/").text
    assert client.get(place).status_code == 200


def test_deleting_now(client, film):
    place = upload(client, (film, "chest.png")).location
    answer = client.post(f"{place}/delete", data={"csrf_token": token(client)})
    assert (answer.status_code, answer.location) == (303, "/")
    for path in (place, f"{place}/film.png", f"{place}/mask.png"):
        assert client.get(path).status_code == 404


def test_an_expired_study_is_not_shown(app, client, film):
    place = upload(client, (film, "chest.png")).location
    store = services(app).studies
    now = store.clock()
    store.clock = lambda: now + 3601
    assert client.get(place).status_code == 404
    assert client.get(f"{place}/film.png").status_code == 404
    assert "chest.png" not in client.get("/").text


def test_a_defect_of_ours_is_owned_up_to_without_a_trace(app, client, film, monkeypatch, caplog):
    def fail(radiograph):
        raise RuntimeError("the secret of the engine")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(services(app).predictor, "predict", fail)
    answer = upload(client, (film, "chest.png"))
    assert answer.status_code == 500
    assert "the secret" not in answer.text
    assert "Traceback" not in answer.text
    incident = re.search(r"incident <code>(\w{8})</code>", answer.text)[1]
    assert f"Incident {incident}: pages.create: RuntimeError('the secret of the engine')" in caplog.text


def test_a_failing_insert_does_not_log_the_file_s_name(app, client, film, caplog):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with services(app).studies.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER fail BEFORE INSERT ON studies BEGIN SELECT RAISE(ABORT, 'no more rows'); END"
        )
    assert upload(client, (film, "Doe^Jane.png")).status_code == 500
    assert "no more rows" in caplog.text
    assert "Doe" not in caplog.text


@pytest.mark.parametrize("script", [True, False])
def test_a_refused_picture_is_shown_with_the_reason(client, script):
    image = draw_phantom(1, 640).image
    page = upload(client, (to_dicom(image, Modality="CT"), "scan.dcm"), script=script)
    assert page.status_code == 400
    assert "The modality is CT; send a radiograph (CR, DX or RG)." in page.text
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page.text)
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown.shape == (320, 320)
    assert np.corrcoef(shown.ravel(), cv2.resize(image, (320, 320)).ravel())[0, 1] > 0.99


def test_a_file_without_a_picture_shows_none(client):
    page = upload(client, (to_dicom(draw_phantom(1, 256).image, PixelData=None), "report.dcm"), script=True)
    assert "holds no image" in page.text
    assert "data:" not in page.text


def test_a_negative_is_shown_the_right_way_round(client):
    image = draw_phantom(1, 320).image
    place = upload(client, (to_png(1 - image), "chest.png")).location
    shown = cv2.imdecode(np.frombuffer(client.get(f"{place}/film.png").data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.abs(shown / 255 - image).max() < 1 / 255
    assert "inverted_corrected" in client.get(place).text


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/pleura.css", "/healthz"])
def test_every_answer_carries_the_headers(client, path):
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert (headers["Cache-Control"] == "no-store") == (not path.startswith("/static"))


def test_pages_have_no_inline_script_or_style(client, film):
    place = upload(client, (film, "chest.png")).location
    for path in ("/", place, "/nowhere"):
        page = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_cookies_are_bound_to_the_session_and_in_production_to_https(client, checkpoint_path, tmp_path, film):
    cookie = client.get("/").headers["Set-Cookie"]
    assert cookie.startswith("pleura=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    production = create_app(
        {
            "PRODUCTION": True,
            "SECRET_KEY": "a secret of more than thirty-two characters",
            "WEIGHTS": str(checkpoint_path),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'production.sqlite'}",
        }
    ).test_client()
    answer = production.get("/", base_url=HTTPS)
    assert answer.headers["Set-Cookie"].startswith("__Host-pleura=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert upload(production, (film, "chest.png"), base_url=HTTPS).status_code == 303


def test_without_a_secret_each_start_draws_another(checkpoint_path, tmp_path):
    settings = {"WEIGHTS": str(checkpoint_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'studies.sqlite'}"}
    first, second = create_app(settings), create_app(settings)
    assert len(first.config["SECRET_KEY"]) >= 32
    assert first.config["SECRET_KEY"] != second.config["SECRET_KEY"]


def test_the_default_database_lies_in_the_instance_folder(checkpoint_path, tmp_path, monkeypatch):
    monkeypatch.setattr("flask.Flask.auto_find_instance_path", lambda app: str(tmp_path / "instance"))
    create_app({"WEIGHTS": str(checkpoint_path)})
    assert (tmp_path / "instance" / "studies.sqlite").is_file()
    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700
