"""Two libraries, one answer; and which of them answers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from app.config import ROOT
from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from app.segmentation.engines import open_engine
from app.segmentation.errors import CheckpointError
from app.segmentation.network.engine import scaled
from app.segmentation.network.openvino_graph import HEADER_KEY, graph_path
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.network.torch_engine import scaled_batch
from app.segmentation.predictor import Predictor
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Laterality
from tests.support.film_files import to_png
from training.releasing.graph import graph
from training.releasing.phantom.drawing import draw_phantom

RELEASED = ROOT / "model_weights" / "pleura.safetensors"
MAX_PROBABILITY_DIFFERENCE = 1e-3
MAX_MAP_DIFFERENCE = 2e-3


@pytest.fixture(scope="module")
def graphed(checkpoint_path, tmp_path_factory) -> Path:
    """The tiny checkpoint with a graph beside it."""
    path = tmp_path_factory.mktemp("graphed") / "tiny.safetensors"
    shutil.copy(checkpoint_path, path)
    graph(path)
    return path


@pytest.fixture
def weights(graphed, tmp_path) -> Path:
    """A copy of both to spoil."""
    for path in (graphed, graph_path(graphed)):
        shutil.copy(path, tmp_path)
    return tmp_path / graphed.name


@pytest.fixture(scope="module")
def released() -> Predictor:
    return Predictor.load(RELEASED, engine="openvino")


def opened(weights: Path, kind: str = "auto"):
    return open_engine(load_checkpoint(weights), weights, kind)


def assert_agreement(predictor: Predictor, image: np.ndarray) -> None:
    batch = preprocess(image, predictor.metadata.preprocessing)
    one, other = predictor.engine.run(batch), predictor.reference.run(batch)
    probabilities = [predictor.decision.calibration.probability(e.image_logit, e.map_logit) for e in (one, other)]
    assert abs(probabilities[0] - probabilities[1]) <= MAX_PROBABILITY_DIFFERENCE
    assert np.abs(one.probability_map - other.probability_map).max() <= MAX_MAP_DIFFERENCE
    assert np.abs(one.disagreement_map - other.disagreement_map).max() <= MAX_MAP_DIFFERENCE
    assert np.abs(one.features - other.features).max() <= 1e-3


class TestAgreement:
    @pytest.mark.parametrize("side", [None, *Laterality])
    def test_on_phantoms(self, released, side):
        assert released.engine.description.startswith("OpenVINO")
        assert_agreement(released, draw_phantom(seed=7, size=700, pneumothorax=side).image)

    def test_on_a_picture_without_anything_in_common_with_a_film(self, released):
        """Of all inputs tried the one that a rounded weight moved most."""
        assert_agreement(released, np.random.default_rng(0).random((512, 512), dtype=np.float32))

    def test_on_real_films(self, released, data_folder):
        paths = sorted((data_folder / "images").iterdir())
        for path in paths[:: max(1, len(paths) // 12)]:
            assert_agreement(released, read_radiograph(path.read_bytes()).image)

    def test_with_any_weights(self, graphed):
        assert_agreement(Predictor.load(graphed, engine="openvino"), draw_phantom(seed=1, size=256).image)

    def test_serving_engine_answers_the_canary(self, released):
        assert released.check_canary()

    @pytest.mark.parametrize("side", [384, 256, 160])
    def test_mirror_images_are_scaled_as_the_reference_does_when_it_is_differentiated(self, side):
        image = draw_phantom(seed=2, size=256).image
        expected = scaled_batch(torch.from_numpy(image)[None, None], side)[0, 0].numpy()
        assert np.abs(scaled(image, side) - expected).max() < 1e-5


class TestChoice:
    def test_openvino_where_there_is_a_graph(self, graphed):
        for kind in ("auto", "openvino"):
            assert opened(graphed, kind).description.startswith("OpenVINO 20")

    def test_torch_where_it_is_asked_for(self, graphed):
        assert opened(graphed, "torch").description == f"PyTorch {torch.__version__}"

    def test_torch_where_there_is_no_graph_and_says_so(self, checkpoint_path, caplog):
        assert opened(checkpoint_path).description == f"PyTorch {torch.__version__} (there is no graph for OpenVINO)"
        assert "PyTorch answers films, several times slower: there is no graph for OpenVINO (" in caplog.text

    def test_torch_where_openvino_does_not_load_and_says_so(self, graphed, monkeypatch, caplog):
        monkeypatch.delitem(sys.modules, "app.segmentation.network.openvino_engine", raising=False)
        monkeypatch.setitem(sys.modules, "openvino", None)
        assert opened(graphed).description == f"PyTorch {torch.__version__} (OpenVINO does not load)"
        assert "OpenVINO does not load (ModuleNotFoundError" in caplog.text
        with pytest.raises(CheckpointError, match="PLEURA_ENGINE=openvino cannot be: OpenVINO does not load"):
            opened(graphed, "openvino")

    def test_no_graph_where_openvino_is_asked_for(self, checkpoint_path):
        for kind, command in (("openvino", "graph"), ("int8", "quantise")):
            expected = f"PLEURA_ENGINE={kind} cannot be: there is no graph .* `python -m training {command}` makes it"
            with pytest.raises(CheckpointError, match=expected):
                opened(checkpoint_path, kind)

    def test_unknown_engine(self, checkpoint_path):
        with pytest.raises(ValueError, match="one of auto, openvino, int8, torch, not 'onnx'"):
            opened(checkpoint_path, "onnx")


class TestRefusedGraph:
    @pytest.mark.parametrize("kind", ["auto", "openvino"])
    def test_of_other_weights(self, weights, kind):
        checkpoint = load_checkpoint(weights)
        with torch.no_grad():
            checkpoint.model.segmentation_head[0].bias += 1
        save_checkpoint(weights, checkpoint.model, checkpoint.metadata)
        with pytest.raises(CheckpointError, match="belongs to other weights; make it again with"):
            opened(weights, kind)

    def test_a_new_calibration_keeps_it(self, weights):
        checkpoint = load_checkpoint(weights)
        save_checkpoint(weights, checkpoint.model, checkpoint.metadata, None)
        assert opened(weights).description.startswith("OpenVINO")

    @pytest.mark.parametrize("size", [0, 4, 1000, -1])
    def test_cut_off(self, weights, size):
        path = graph_path(weights)
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(CheckpointError, match="is damaged .* make it again with"):
            opened(weights)

    @pytest.mark.parametrize("part", ["xml", "constants"])
    def test_with_a_changed_byte(self, weights, part):
        path = graph_path(weights)
        with safe_open(path, "np") as file:
            header, parts = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        parts[part][len(parts[part]) // 2] ^= 1
        save_file(parts, path, metadata=header)
        with pytest.raises(CheckpointError, match="is damaged"):
            opened(weights)

    def test_without_a_header_of_ours(self, weights):
        save_file({"xml": np.zeros(3, np.uint8)}, graph_path(weights), metadata={HEADER_KEY: json.dumps({})})
        with pytest.raises(CheckpointError, match="is damaged"):
            opened(weights)


def test_a_worker_that_answers_films_loads_no_training_library(graphed, tmp_path):
    """They cost seconds at the start and hundreds of megabytes, and "Why this score" alone needs them."""
    film = tmp_path / "film.png"
    film.write_bytes(to_png(draw_phantom(seed=1, size=256).image))
    url = f"sqlite:///{tmp_path / 'studies.sqlite'}"
    code = (
        "import io, sys\n"
        "from app import create_app\n"
        f"app = create_app({{'WEIGHTS': {str(graphed)!r}, 'API': 'open', 'DATABASE_URL': {url!r}}})\n"
        f"film = open({str(film)!r}, 'rb').read()\n"
        "client = app.test_client()\n"
        "assert client.get('/').status_code == 200\n"
        "answer = client.post('/api/v1/predictions', data={'file': (io.BytesIO(film), 'film.png')})\n"
        "assert answer.json['model']['engine'].startswith('OpenVINO'), answer.json\n"
        "print(sorted({'torch', 'torchvision', 'timm', 'segmentation_models_pytorch'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_scaling_keeps_what_the_map_says():
    """A map that is shrunk must not lose a thin line to sampling."""
    line = np.zeros((96, 96), np.float32)
    line[:, 47] = 1
    assert scaled(line, 64).sum() == pytest.approx(line.sum() * (64 / 96) ** 2, rel=0.01)
    assert scaled(line, 96) is line
