"""`/readyz` says 503, and why, for everything that keeps films from being answered."""

import hashlib
import json
import shutil
import threading
import time

import pytest

from app.analysis import readiness
from app.config import ROOT
from app.segmentation.errors import CheckpointError
from app.web.services import services


@pytest.fixture
def weights(checkpoint_path, tmp_path):
    """A copy of the tiny model's weights."""
    folder = tmp_path / "weights"
    folder.mkdir()
    return shutil.copy(checkpoint_path, folder / "tiny.safetensors")


@pytest.fixture
def make(make_app, weights):
    """Make an application on the copy, whose canary is always right."""

    def make(**settings: str):
        app = make_app(WEIGHTS=str(weights), **settings)
        predictor = services(app).predictor
        object.__setattr__(predictor.metadata, "canary", {"film": "", "probability": 0.5})
        predictor.check_canary = lambda: True
        return app

    return make


def reason(app) -> str:
    answer = app.test_client().get("/readyz")
    assert answer.status_code == (503 if "reason" in answer.json else 200)
    return answer.json.get("reason", "")


def test_work_that_is_overdue(make, monkeypatch):
    app = make()
    assert reason(app) == ""
    analysis = services(app).analysis
    monkeypatch.setattr(analysis, "reading_seconds", lambda: 99.0)
    assert reason(app) == "The film in hand has been read for 99 s."
    monkeypatch.setattr(analysis, "reading_seconds", lambda: 30.0)  # by the clock, while others have the processor
    assert reason(app) == ""
    monkeypatch.setattr(analysis.turns, "held_seconds", lambda: 99.0)
    assert reason(app) == "The film in hand has been answered for 99 s."


def test_a_canary_that_hangs_does_not_hang_the_probe(make, monkeypatch):
    app, end = make(), threading.Event()
    monkeypatch.setattr(readiness, "CANARY_SECONDS", 0.1)
    services(app).predictor.check_canary = lambda: end.wait(60)
    started = time.monotonic()
    assert [reason(app) for _ in range(2)] == ["The canary inference has not come to an end within 0.1 s."] * 2
    assert time.monotonic() - started < 30
    end.set()
    monkeypatch.setattr(readiness, "CANARY_SECONDS", 20)
    assert reason(app) == ""


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_file_of_figures_stops_the_start(make, weights, text):
    weights.with_name("metrics.json").write_text(text)
    with pytest.raises(CheckpointError, match="is damaged"):
        make()


def test_weights_that_change_under_it(make, weights):
    app, sound = make(), weights.read_bytes()
    assert reason(app) == ""
    weights.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert "no longer the one that was loaded" in reason(app)
    weights.unlink()
    assert reason(app) == "The weights' file cannot be read: No such file or directory."
    weights.write_bytes(sound)
    assert reason(app) == ""


def test_a_database_that_is_gone(make, tmp_path):
    app = make()
    (tmp_path / "studies.sqlite").unlink()
    assert "deleted or replaced" in reason(app)


def test_one_changed_byte_stops_the_start(make, weights):
    sound = weights.read_bytes()
    expected = hashlib.sha256(sound).hexdigest()
    weights.with_name("metrics.json").write_text(json.dumps({"sha256": expected}))
    make()
    weights.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    with pytest.raises(CheckpointError, match=expected):
        make()
    make(WEIGHTS_SHA256=hashlib.sha256(weights.read_bytes()).hexdigest().upper())


def test_released_weights_have_the_released_hash():
    released = json.loads((ROOT / "model_weights" / "metrics.json").read_text())["sha256"]
    found = hashlib.sha256((ROOT / "model_weights" / "pleura.safetensors").read_bytes()).hexdigest()
    assert found == released
