"""What several test modules share: a tiny checkpoint, so that no test needs the released weights."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Playwright, sync_playwright

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from tests.support.answers import DECISION
from tests.support.browser import CHROMIUM
from tests.support.needs import lacking


@pytest.fixture(scope="session", autouse=True)
def _small_reserves():
    """Hundreds of databases are made here, and each keeps room back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.studies.disk.LARGEST_RESERVE", 2**20)
        yield


@pytest.fixture(scope="session")
def checkpoint_path(tmp_path_factory) -> Path:
    """A released-looking checkpoint with random weights and a 64-pixel input: fast, and of no worth."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    torch.manual_seed(0)
    config = ModelConfig(decoder_channels=(16, 16, 8, 8, 8))
    metadata = CheckpointMetadata("tiny", config, PreprocessingConfig(64), decision=DECISION)
    save_checkpoint(path, build_model(config), metadata)
    return path


@pytest.fixture
def make_app(checkpoint_path, tmp_path):
    """Make the application: on the tiny checkpoint, with its studies in a temporary database, unless set otherwise."""
    from app import create_app

    url = f"sqlite:///{tmp_path / 'studies.sqlite'}"
    return lambda **settings: create_app(
        {"TESTING": True, "WEIGHTS": str(checkpoint_path), "DATABASE_URL": url, **settings}
    )


@pytest.fixture
def app(make_app):
    """The application as most tests want it."""
    return make_app(SECRET_KEY="only for tests", API="open")


@pytest.fixture
def client(app):
    """A browser without cookies."""
    return app.test_client()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request, tmp_path) -> str:
    """Address of a database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'studies.sqlite'}"
    if not (address := os.environ.get("PLEURA_TEST_POSTGRES_URL")):
        pytest.skip("PLEURA_TEST_POSTGRES_URL names no database")
    return address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What starts browsers; a process may have one only."""
    if not CHROMIUM:
        lacking("no Chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real films, where the machine has them."""
    folder = os.environ.get("PLEURA_DATA")
    if not folder:
        pytest.skip("PLEURA_DATA names no folder of real films")
    return Path(folder)
