"""A real server and a real browser. Without Chromium these tests are skipped, and say so."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from app import create_app
from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from app.segmentation.predictor import Predictor
from app.segmentation.reading.radiograph import Radiograph
from tests.support.browser import ARGUMENTS, CHROMIUM, serving
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import Phantom, draw_phantom

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """A synthetic film of 384 × 384 pixels."""
    return draw_phantom(4, 384)


@pytest.fixture(scope="session")
def film(phantom, tmp_path_factory) -> Path:
    """The synthetic film as a DICOM file."""
    path = tmp_path_factory.mktemp("films") / "chest.dcm"
    path.write_bytes(to_dicom(phantom.image))
    return path


@pytest.fixture(scope="session")
def marking_weights(checkpoint_path, phantom, tmp_path_factory) -> Path:
    """A model that marks a tenth of the synthetic film."""
    weights = tmp_path_factory.mktemp("weights") / "marking.safetensors"
    checkpoint = load_checkpoint(checkpoint_path)
    probability_map = Predictor(checkpoint).predict(Radiograph(phantom.image, "DICOM")).probability_map
    decision = checkpoint.metadata.decision
    decision = dataclasses.replace(
        decision,
        calibration=dataclasses.replace(decision.calibration, bias=3.0),
        postprocessing=dataclasses.replace(
            decision.postprocessing, mask_threshold=float(np.quantile(probability_map, 0.9))
        ),
    )
    save_checkpoint(weights, checkpoint.model, dataclasses.replace(checkpoint.metadata, decision=decision))
    return weights


@pytest.fixture(scope="session")
def address(marking_weights, tmp_path_factory) -> Iterator[str]:
    """The address of a running server."""
    url = f"sqlite:///{tmp_path_factory.mktemp('server') / 'studies.sqlite'}"
    with serving(create_app({"WEIGHTS": str(marking_weights), "DATABASE_URL": url})) as address:
        yield address


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Headless Chromium."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def context(browser, address) -> Iterator[BrowserContext]:
    """A browser session of its own."""
    context = browser.new_context(base_url=address)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of: errors of scripts, breaches of the content security policy."""
    return []


@pytest.fixture
def page(context, complaints) -> Page:
    """A page that collects its complaints."""

    def hear(message: ConsoleMessage) -> None:
        is_of_driver = "GL Driver Message" in message.text  # software stands in for a graphics processor, and is slow
        if message.type in ("error", "warning") and not is_of_driver:
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page
