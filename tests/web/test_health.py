"""Alive is not ready: readiness is an inference that gave the expected answer."""

import base64
from dataclasses import replace

import pytest

from app.analysis import readiness
from app.config import ROOT
from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from app.segmentation.predictor import CANARY_TOLERANCE, Predictor
from app.segmentation.reading.image_io import read_radiograph
from tests.support.described import check_against
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom


@pytest.fixture
def client_with_canary(make_app, checkpoint_path, tmp_path):
    """Make a client of an application whose checkpoint expects its canary's answer to be off by so much."""

    def make(error: float = 0.0):
        film = to_png(draw_phantom(seed=5, size=256).image)
        probability = Predictor.load(checkpoint_path).predict(read_radiograph(film)).probability
        checkpoint = load_checkpoint(checkpoint_path)
        canary = {"film": base64.b64encode(film).decode("ascii"), "probability": probability + error}
        path = tmp_path / "canary.safetensors"
        save_checkpoint(path, checkpoint.model, replace(checkpoint.metadata, canary=canary))
        return make_app(WEIGHTS=str(path)).test_client()

    return make


def test_alive(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})
    assert "Set-Cookie" not in answer.headers


def test_ready(client_with_canary):
    answer = client_with_canary().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert "Set-Cookie" not in answer.headers
    check_against("Readiness", answer.json)


def test_released_model_is_ready():
    assert Predictor.load(ROOT / "model_weights" / "pleura.safetensors").check_canary()


def test_not_ready_with_another_answer_than_at_release(client_with_canary):
    answer = client_with_canary(error=2 * CANARY_TOLERANCE).get("/readyz")
    assert answer.status_code == 503
    assert "when the model was released" in answer.json["reason"]
    check_against("Readiness", answer.json)


def test_not_ready_without_a_canary(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "no canary" in answer.json["reason"]


def test_not_ready_when_the_inference_fails(client_with_canary, monkeypatch, caplog):
    def fail(predictor):
        raise RuntimeError("no memory")

    monkeypatch.setattr(Predictor, "check_canary", fail)
    answer = client_with_canary().get("/readyz")
    assert answer.status_code == 503
    assert "no memory" not in answer.text
    assert "no memory" in caplog.text


def test_one_inference_speaks_for_a_while(client_with_canary, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(readiness.time, "monotonic", lambda: now[0])
    client = client_with_canary()
    answers = iter([True, False])
    monkeypatch.setattr(Predictor, "check_canary", lambda predictor: next(answers))
    assert client.get("/readyz").status_code == 200
    now[0] += readiness.KEEP_SECONDS - 1
    assert client.get("/readyz").status_code == 200
    now[0] += 1
    assert client.get("/readyz").status_code == 503
