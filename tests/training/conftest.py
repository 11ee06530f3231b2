"""A little data set of synthetic films in the manifest's form, and the same one prepared."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from app.segmentation.network.model import ModelConfig
from app.segmentation.reading.geometry import Laterality
from tests.support.phantom import draw_phantom, to_png
from training.data.films import PreparedFilms
from training.data.manifest import read_manifest
from training.data.prepare import write_prepared
from training.learning.config import TrainingConfig

SPLITS = ["train"] * 12 + ["val"] * 8 + ["test"] * 8
SIZE = 256


@pytest.fixture(scope="session")
def manifest_folder(tmp_path_factory) -> Path:
    """28 synthetic films of 14 patients, every second one with a pneumothorax."""
    folder = tmp_path_factory.mktemp("manifest")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    rows = []
    for index, split in enumerate(SPLITS):
        side = [None, Laterality.LEFT, None, Laterality.RIGHT][index % 4]
        phantom = draw_phantom(seed=index, size=SIZE, pneumothorax=side)
        image_id = f"film-{index:02d}"
        (folder / "images" / f"{image_id}.png").write_bytes(to_png(phantom.image))
        if side is not None:
            Image.fromarray(phantom.true_mask).save(folder / "masks" / f"{image_id}.png")
        rows.append(
            {"image_id": image_id, "patient_id": f"patient-{index // 2}", "split": split, "label_source": "expert_mask"}
        )
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder


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
