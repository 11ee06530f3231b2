"""A study with our objects in OHIF, as a radiologist opens it: film, structured report and capture.

It needs the built `@ohif/app`: `npm pack @ohif/app@3.13.2`, unpacked, its folder `dist` named in `PLEURA_OHIF`.
"""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Playwright, TimeoutError, expect

from tests.support.browser import ARGUMENTS, CHROMIUM
from tests.support.dicom_exports import BOTH, IMAGE, REQUIRED, dicom_exports
from tests.support.film_files import to_dicom
from tests.support.ohif import serving_ohif

SOFTWARE_WEBGL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PATIENCE_MS = 90_000

MANY = np.zeros(IMAGE.shape, dtype=bool)
for row in range(20, 300, 50):
    for column in range(20, 400, 80):
        MANY[row : row + 9, column : column + 14] = True  # 30 regions
BORDER = np.zeros(IMAGE.shape, dtype=bool)
BORDER[:40, 360:] = BORDER[280:, :20] = True


@pytest.fixture(scope="module")
def ohif(archive_address) -> Iterator[str]:
    """The address of an OHIF before the archive."""
    dist = Path(os.environ.get("PLEURA_OHIF", "no folder"))
    if not (dist / "index.html").exists():
        pytest.skip("PLEURA_OHIF names no folder with the built @ohif/app 3.13.2")
    with serving_ohif(dist, archive_address) as address:
        yield address


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that draws with WebGL in software: OHIF needs it."""
    arguments = [argument for argument in ARGUMENTS if argument != "--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*arguments, *SOFTWARE_WEBGL])
    yield browser
    browser.close()


CASES = {
    "two regions": (BOTH, "MONOCHROME2", 2),
    "inverted": (BOTH, "MONOCHROME1", 2),
    "thirty regions": (MANY, "MONOCHROME2", 30),
    "at the border": (BORDER, "MONOCHROME2", 2),
    "nothing": (BOTH & False, "MONOCHROME2", 0),
}


@pytest.mark.parametrize("case", CASES)
def test_the_report_s_outlines_lie_on_the_mask(make_exported, archive, ohif, browser, case):
    mask, photometric, count = CASES[case]
    study = f"2.25.{7000 + list(CASES).index(case)}"
    names = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": f"{study}.2"}
    film = to_dicom(IMAGE, photometric=photometric, **names, **REQUIRED)
    exports = dicom_exports(make_exported(film, mask, "positive" if count else "negative"))
    stored = ("segmentation.dcm", "capture.dcm", "report.dcm")
    archive.store_instances([pydicom.dcmread(io.BytesIO(film)), *(exports[name] for name in stored)])

    errors: list[str] = []
    page, lines = open_report(browser, f"{ohif}/viewer?StudyInstanceUIDs={study}", errors)
    expect(lines).to_have_count(count + 1)
    expect(page.get_by_text(re.compile(r"Probability: 87\.00 %")).first).to_be_visible()
    expect(page.get_by_text("Area:")).to_have_count(count + (2 if count > 2 else 0), timeout=PATIENCE_MS)
    if os.environ.get("PLEURA_SCREENSHOTS"):
        page.screenshot(path=Path(os.environ["PLEURA_SCREENSHOTS"]) / f"ohif {case}.png")

    shapes = [points_of(text) for text in lines.evaluate_all("lines => lines.map(line => line.getAttribute('points'))")]
    frame = max(shapes, key=lambda points: np.ptp(points, axis=0).prod())  # the film's border, tracked as a whole
    origin, scale = frame.min(axis=0), np.ptp(frame, axis=0) / [IMAGE.shape[1], IMAGE.shape[0]]
    regions = [(points - origin) / scale for points in shapes if points is not frame]  # in the film's pixels
    drawn = np.zeros(mask.shape, np.uint8)
    for points in regions:
        cv2.fillPoly(drawn, [np.round(16 * (points - 0.5)).astype(np.int32)], 1, shift=4)
    assert farthest(drawn > 0, mask) <= 2
    assert errors == []


def test_the_segmentation_is_drawn_on_the_film(make_exported, archive, ohif, browser):
    study = "2.25.7100"
    names = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": f"{study}.2"}
    film = to_dicom(IMAGE, **names, **REQUIRED)
    exports = dicom_exports(make_exported(film, BOTH))
    stored = ("segmentation.dcm", "capture.dcm", "report.dcm")
    archive.store_instances([pydicom.dcmread(io.BytesIO(film)), *(exports[name] for name in stored)])
    errors: list[str] = []
    page = open_study(browser, f"{ohif}/viewer?StudyInstanceUIDs={study}", errors)
    amber, loaded = amber_pixels(page), page.get_by_text("Do you want to open this Segmentation?")
    assert not amber.any()  # before
    page.get_by_text("Pleura segmentation").first.dblclick()
    expect(loaded).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Yes").click()
    expect(loaded).to_be_hidden(timeout=PATIENCE_MS)
    assert errors == []
    for _ in range(60):
        if (amber := amber_pixels(page)).any():
            break
        page.wait_for_timeout(250)
    there = fitted(BOTH.astype(np.uint8), amber.shape) > 0
    assert farthest(amber, there) <= 2 * amber.shape[0] / IMAGE.shape[0]

    page.get_by_text("Pleura overlay").first.dblclick()
    picture = exports["capture.dcm"].pixel_array[..., ::-1]
    for _ in range(60):
        shown = viewport(page)
        if likeness(shown, fitted(picture, shown.shape[:2])) > 0.9:
            break
        page.wait_for_timeout(250)
    assert likeness(shown, fitted(picture, shown.shape[:2])) > 0.9, "the picture with its words, as we made it"
    assert errors == []


def open_study(browser: Browser, address: str, errors: list[str]) -> Page:
    """Open a study as a first visitor, and wait until its objects are listed; errors of its scripts are added."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.get_by_text("Skip all").click()  # the tour of a first visit
    for name in ("Pleura overlay", "Pleura report", "Pleura segmentation"):
        expect(page.get_by_text(name).first).to_be_visible(timeout=PATIENCE_MS)
    return page


def amber_pixels(page: Page) -> np.ndarray:
    """Where the viewport shows the segments' colour over the film, bool."""
    blue, _, red = np.moveaxis(viewport(page).astype(int), -1, 0)
    return red - blue > 60


def viewport(page: Page) -> np.ndarray:
    """What the viewport shows, uint8 (H, W, 3), blue first."""
    for _ in range(20):
        try:
            shot = page.locator(".cornerstone-canvas").first.screenshot(timeout=PATIENCE_MS / 9)
        except Error:  # the viewer puts another canvas in its place
            page.wait_for_timeout(500)
            continue
        return cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    raise AssertionError("The viewport does not come to rest.")


def open_report(browser: Browser, address: str, errors: list[str]) -> tuple[Page, Locator]:
    """Open a study's structured report; return the page and the report's lines.

    A viewer that is still at work may miss a click; one that was asked for the report before it had the film waits for
    ever, however often it is clicked, and is opened anew.
    """
    for _ in range(4):
        page = open_study(browser, address, errors)
        viewport(page)
        lines = page.locator("svg.svg-layer polyline")
        for _ in range(2):
            page.get_by_text("Pleura report").first.dblclick()
            try:
                lines.first.wait_for(state="attached", timeout=PATIENCE_MS / 6)
            except TimeoutError:
                continue
            return page, lines
        page.close()
    raise AssertionError(f"The viewer does not open the report; errors of its scripts: {errors}")


def fitted(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Place a picture as a viewport of (H, W) pixels does: it fills it, about its middle."""
    scale = min(shape[0] / picture.shape[0], shape[1] / picture.shape[1])
    left, top = (shape[1] - scale * picture.shape[1]) / 2, (shape[0] - scale * picture.shape[0]) / 2
    return cv2.warpAffine(picture, np.array([[scale, 0, left], [0, scale, top]]), shape[::-1])


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two pictures' pixels."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def points_of(text: str) -> np.ndarray:
    """Read an SVG polyline's points, (N, 2)."""
    return np.array(re.findall(r"-?[\d.]+", text), float).reshape(-1, 2)


def farthest(drawn: np.ndarray, mask: np.ndarray) -> float:
    """How many pixels a pixel of either mask lies from the other, at most."""
    if not mask.any() or not drawn.any():
        return 0.0 if mask.any() == drawn.any() else np.inf
    pairs = (drawn, mask), (mask, drawn)
    return max(float(cv2.distanceTransform((~b).astype(np.uint8), cv2.DIST_L2, 5)[a].max()) for a, b in pairs)
