"""Eight bits are offered where they answer as well, and nowhere else."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.errors import CheckpointError
from app.segmentation.network.openvino_graph import graph_path
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Predictor
from training.releasing import quantise as module
from training.releasing.graph import graph
from training.releasing.phantom.drawing import draw_phantom
from training.releasing.quantise import loss_of, quantise

FLOAT = {"auroc": 0.9, "dice_pos": 0.5, "calibration_error": 0.05}


def described(figures: dict[str, float]) -> dict:
    return {"figures": {name: {"value": value, "interval": [0, 1]} for name, value in figures.items()}}


@pytest.fixture(scope="module")
def with_graph(checkpoint_path, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "tiny.safetensors"
    shutil.copy(checkpoint_path, path)
    graph(path)
    return path


@pytest.fixture
def weights(with_graph, tmp_path) -> Path:
    for path in (with_graph, graph_path(with_graph)):
        shutil.copy(path, tmp_path)
    return tmp_path / with_graph.name


@pytest.fixture(scope="module", autouse=True)
def _in_earnest_once():
    """Convert and quantise the network once: it is the same in every test."""

    def once(function):
        made = []

        def call(*given, **more):
            made[:] = made or [function(*given, **more)]
            return made[0]

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "convert", once(module.convert))
        patch.setattr(module.nncf, "quantize", once(module.nncf.quantize))
        yield


def quantised(weights: Path, data: Path, monkeypatch, **int8: float) -> dict:
    """Quantise in earnest, with figures of our own."""
    answers = iter([described(FLOAT), described({**FLOAT, **int8})])
    monkeypatch.setattr(module, "predict_split", lambda predictor, films, split: predictor.engine.description)
    monkeypatch.setattr(module, "describe_split", lambda table: next(answers))
    return quantise(weights, data, films=2)


def test_as_good_is_offered_and_answers_much_the_same(weights, prepared_folder, monkeypatch):
    report = quantised(weights, prepared_folder, monkeypatch, dice_pos=0.4951, auroc=0.95, calibration_error=0.054)
    assert report["offered"]
    assert report["worse_by"] == {"auroc": -0.05, "dice_pos": 0.0049, "calibration_error": 0.004}
    assert json.loads(graph_path(weights, "int8").with_suffix(".json").read_text()) == report
    int8, float32 = (Predictor.load(weights, kind) for kind in ("int8", "openvino"))
    assert int8.engine.description == f"{float32.engine.description}, int8"
    batch = preprocess(draw_phantom(0, 256).image, load_checkpoint(weights).metadata.preprocessing)
    difference = np.abs(int8.engine.run(batch).probability_map - float32.engine.run(batch).probability_map)
    assert 0 < difference.max() < 0.2


@pytest.mark.parametrize("worse", [{"auroc": 0.894}, {"dice_pos": 0.494}, {"calibration_error": 0.056}], ids=str)
def test_worse_in_one_figure_is_not(weights, prepared_folder, monkeypatch, worse):
    assert not quantised(weights, prepared_folder, monkeypatch, **worse)["offered"]
    assert not graph_path(weights, "int8").exists()
    with pytest.raises(CheckpointError, match="PLEURA_ENGINE=int8 cannot be: there is no graph"):
        Predictor.load(weights, "int8")


def test_a_larger_calibration_error_is_a_loss():
    figures = {
        "openvino": described(FLOAT)["figures"],
        "int8": described({**FLOAT, "calibration_error": 0.07})["figures"],
    }
    assert loss_of(figures, "calibration_error") == pytest.approx(0.02)
    assert loss_of(figures, "auroc") == 0
