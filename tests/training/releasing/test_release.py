"""From a training's weights to the file that is served, told by its own films."""

import json
import shutil

import pytest
import torch

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from app.segmentation.predictor import Predictor
from tests.support.answers import DECISION
from training.data.description import read_description
from training.errors import UserError
from training.releasing import release as releasing
from training.releasing.release import release

TINY = ModelConfig(decoder_channels=(16, 16, 8, 8, 8))


@pytest.fixture
def trained(tmp_path):
    """Weights as a training leaves them, of no worth."""
    torch.manual_seed(0)
    settings = {"label_sources": ["expert_mask"], "seed": 0, "epochs": 1, "window": {"degrees": 6.0}}
    provenance = {"date": "2026-11-27", "commit": "0" * 7, "epoch": 1, "films_seen": 16, "settings": settings}
    metadata = CheckpointMetadata("run", TINY, PreprocessingConfig(64), provenance=provenance)
    save_checkpoint(tmp_path / "best.safetensors", build_model(TINY), metadata)
    return tmp_path / "best.safetensors"


def test_a_release_tells_of_the_films_it_learnt_from(trained, prepared_folder, tmp_path, monkeypatch):
    # weights of no worth have no operating point
    monkeypatch.setattr(releasing, "choose_decision", lambda evidence, true_masks, mirror_size: DECISION)
    out = tmp_path / "released" / "model.safetensors"
    data = shutil.copytree(prepared_folder, tmp_path / "films")
    (data / "DATASET.md").write_text("source: no hospital at all\n\nFilms: drawn by a program, free to use.\n")
    release(trained, data, out, name="drawn")

    served = Predictor.load(out)
    assert served.population.source == "no hospital at all"
    assert (served.population.films, served.population.side, served.population.turn_degrees) == (12, 256, 6.0)
    assert served.population.no_film_distance >= 1
    assert served.decision == DECISION
    assert served.check_canary()
    assert json.loads((out.parent / "metrics.json").read_text())["sha256"] == served.sha256

    card = (out.parent / "MODEL_CARD.md").read_text()
    assert "Films: drawn by a program, free to use." in card
    assert "Frontal films of no hospital at all: expect worse elsewhere" in card
    assert not {word for word in ("NIH", "SIIM", "ChestX-ray14") if word in card}


def test_what_nobody_said_is_left_to_fill_in(trained, prepared_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(releasing, "choose_decision", lambda evidence, true_masks, mirror_size: DECISION)
    out = tmp_path / "released" / "model.safetensors"
    release(trained, prepared_folder, out, name="drawn")
    card = (out.parent / "MODEL_CARD.md").read_text()
    assert card.startswith("{#") is False and "# Model card: drawn" in card
    assert "Masks: [fill in] who drew them" in card and "Frontal films of [fill in]" in card
    printed = capsys.readouterr().out
    assert "MODEL_CARD.md holds [fill in]" in printed and f"next: PLEURA_WEIGHTS={out} make run" in printed


def test_an_earlier_release_stands_until_the_next_one_is_measured(trained, prepared_folder, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(releasing, "choose_decision", lambda evidence, true_masks, mirror_size: DECISION)
    monkeypatch.setattr(releasing, "model_card", interrupt)
    folder = tmp_path / "released"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"the earlier one")
    with pytest.raises(KeyboardInterrupt):
        release(trained, prepared_folder, folder / "model.safetensors", name="drawn")
    assert [path.name for path in folder.iterdir()] == ["model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == b"the earlier one"


def test_a_description_begins_with_its_source(tmp_path):
    (tmp_path / "DATASET.md").write_text("# Our films\n")
    with pytest.raises(UserError, match="source: one hospital"):
        read_description(tmp_path)
