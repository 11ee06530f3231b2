"""The example films: what they show, and what the page and the exports say of them."""

import io
import re

import numpy as np
import pydicom
import pytest
from PIL import Image
from pypdf import PdfReader

from app import create_app
from app.config import ROOT
from app.segmentation.decision.calibration import Finding
from app.segmentation.predictor import Predictor
from app.segmentation.reading.image_io import read_radiograph
from app.studies.masks import vouched_mask
from app.studies.study import Study
from app.web.examples import EXAMPLES
from tests.support.answers import make_answer
from tests.support.examples import draw_examples, true_mask
from tests.support.film_files import to_png

FOLDER = ROOT / "static"
LARGEST_BYTES = 150_000
WEIGHTS = ROOT / "model_weights" / "pleura.safetensors"


@pytest.fixture(scope="module")
def answers() -> dict:
    """What the released model makes of each example."""
    predictor = Predictor.load(WEIGHTS)
    return {
        example.name: predictor.predict(read_radiograph((FOLDER / example.file).read_bytes())) for example in EXAMPLES
    }


def test_the_files_are_what_the_generator_draws():
    drawn = draw_examples()
    assert drawn.keys() == {example.name for example in EXAMPLES}
    for example in EXAMPLES:
        data = (FOLDER / example.file).read_bytes()
        assert len(data) < LARGEST_BYTES
        kept = np.asarray(Image.open(io.BytesIO(data)).convert("L")) / 255
        assert kept.shape == drawn[example.name].shape
        error = np.abs(kept - drawn[example.name])
        assert error.mean() < 0.01  # WebP keeps grey levels of 16 to 235, and smooths what noise there is
        assert np.percentile(error, 99.9) < 0.06


def test_the_released_model_finds_the_pneumothorax_at_its_place(answers):
    found = answers["pneumothorax"]
    assert found.finding is Finding.POSITIVE
    drawn = true_mask()
    assert 2 * (found.mask & drawn).sum() / (found.mask.sum() + drawn.sum()) > 0.5


def test_the_released_model_finds_none_on_the_twin(answers):
    assert answers["normal"].finding is Finding.NEGATIVE
    assert not answers["normal"].mask.any()


def test_the_released_model_doubts_the_turned_film(answers):
    assert answers["turned"].finding is Finding.INDETERMINATE
    assert "turned" in [doubt.code for doubt in answers["turned"].doubts]


def test_the_start_page_offers_each_and_says_that_they_are_synthetic(client):
    page = client.get("/").text
    for example in EXAMPLES:
        assert f'href="/?example={example.name}"' in page
        assert example.title in page
    assert "Synthetic: drawn by a program, of no patient." in page


def test_a_link_leads_to_the_result_and_analyses_once(client, app):
    first, again = (client.get("/?example=normal") for _ in range(2))
    assert first.status_code == 303
    assert first.location == again.location
    page = client.get(first.location).text
    assert "EXAMPLE normal.webp" in page
    assert "synthetic, of no patient" in page
    assert client.get("/?example=turned").location != first.location


def test_asking_for_headers_alone_analyses_nothing(client):
    assert client.head("/?example=normal").status_code == 200
    assert "EXAMPLE normal.webp" not in client.get("/").text


def test_an_example_that_there_is_not(client):
    assert client.get("/?example=../../wsgi").status_code == 404


def test_the_operator_may_do_without(checkpoint_path, tmp_path):
    url = f"sqlite:///{tmp_path / 'studies.sqlite'}"
    settings = {"WEIGHTS": str(checkpoint_path), "DATABASE_URL": url, "SECRET_KEY": "only for tests"}
    client = create_app({**settings, "EXAMPLES": "off"}).test_client()
    assert "example" not in client.get("/").text.lower()
    assert client.get("/?example=normal").status_code == 404


@pytest.fixture
def exported(client):
    """Fetch an export of an example."""
    address = client.get("/?example=normal").location
    return lambda file, query="": client.get(f"{address}/exports/{file}{query}")


@pytest.mark.parametrize("query", ["", "?deidentify=1"])
def test_dicom_exports_are_marked(exported, query):
    for file in ("film.dcm", "capture.dcm", "report.dcm"):
        made = pydicom.dcmread(io.BytesIO(exported(file, query).data))
        assert made.PatientName == "EXAMPLE^Synthetic film"
        assert made.PatientID == "EXAMPLE"
        assert made.SeriesDescription.startswith("EXAMPLE ")
    assert b"EXAMPLE: a synthetic film" in exported("report.dcm", query).data


def test_other_exports_are_marked(exported):
    response = exported("report.pdf")
    assert re.search(r"filename=\W?EXAMPLE", response.headers["Content-Disposition"])
    text = " ".join(PdfReader(io.BytesIO(response.data)).pages[0].extract_text().split())
    assert "EXAMPLE: a synthetic film, of no patient." in text
    assert exported("answer.json").json["example"] is True
    assert Image.open(io.BytesIO(exported("overlay.png").data)).text["Description"].startswith("EXAMPLE")


def test_the_list_as_a_table_is_marked(client, exported):
    assert "EXAMPLE normal.webp" in client.get("/worklist.csv").text


def test_an_example_is_not_given_for_training():
    study = Study(answer=make_answer("negative"), verdict="right", film_png=to_png(np.zeros((320, 320))))
    assert vouched_mask(study) is not None
    study.example = "normal"
    assert vouched_mask(study) is None
