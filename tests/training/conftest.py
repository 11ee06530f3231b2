"""A little data set of synthetic films in the manifest's form, and the same one prepared."""

from pathlib import Path

import pytest

from app.segmentation.network.model import ModelConfig
from tests.support.film_sets import write_film_set
from training.data.films import PreparedFilms
from training.data.manifest import read_manifest
from training.data.prepare import write_prepared
from training.learning.config import TrainingConfig

SPLITS = ["train"] * 12 + ["val"] * 8 + ["test"] * 8
SIZE = 256


@pytest.fixture(autouse=True)
def _validation_by_pytorch(monkeypatch):
    """Validate by the network itself: its conversion for OpenVINO takes longer than all else of a training here.

    `learning/test_answering.py` holds the two together; trainings in processes of their own convert as ever.
    """
    monkeypatch.setattr("training.learning.validation.answering", lambda network: network)


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    """Draw patients a few times for an interval: so little is known of so few films that more draws say no more."""
    monkeypatch.setattr("training.measuring.metrics.RESAMPLES", 20)
    monkeypatch.setattr("training.evidence.report.GROUP_RESAMPLES", 20)


@pytest.fixture(scope="session")
def manifest_folder(tmp_path_factory) -> Path:
    """28 synthetic films of 14 patients, every second one with a pneumothorax."""
    return write_film_set(tmp_path_factory.mktemp("manifest") / "films", SPLITS, size=SIZE, films_of_a_patient=2)


@pytest.fixture(scope="session")
def prepared_folder(manifest_folder, tmp_path_factory) -> Path:
    """The synthetic films as training reads them."""
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(read_manifest(manifest_folder), folder, SIZE)
    return folder


@pytest.fixture(scope="session")
def films(prepared_folder) -> PreparedFilms:
    """The prepared folder, opened."""
    return PreparedFilms.open(prepared_folder)


@pytest.fixture
def small_training(prepared_folder, tmp_path) -> TrainingConfig:
    """A training of seconds."""
    return TrainingConfig(
        data=prepared_folder,
        run=tmp_path / "run",
        start="random",
        image_size=64,
        model=ModelConfig(decoder_channels=(16, 16, 8, 8, 8)),
        label_sources=("expert_mask",),
        epochs=2,
        steps_per_epoch=2,
        batch_size=4,
        micro_batch=2,
        ema_decay=0.5,
        workers=0,
        accelerator="cpu",
        log_every=1,
    )
