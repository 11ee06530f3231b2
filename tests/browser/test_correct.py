"""Drawing a mask in a real browser, and the whole way of what was drawn: to the folder, and into training."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import CDPSession, Page, expect

from app import create_app
from tests.support.browser import SIZES, assert_accessible, serving, show_result
from tests.support.film_files import to_png
from training.data.films import PreparedFilms
from training.data.prepare import prepare

SIDE = 384
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """Where the server puts films for training."""
    return tmp_path_factory.mktemp("giving") / "given"


@pytest.fixture(scope="module")
def address(marking_weights, given) -> Iterator[str]:
    """The address of a running server that asks for films."""
    settings = {"WEIGHTS": str(marking_weights), "FEEDBACK_FOLDER": str(given), "SECRET_KEY": 40 * "x"}
    settings["DATABASE_URL"] = f"sqlite:///{given.parent / 'studies.sqlite'}"
    with serving(create_app(settings)) as address:
        yield address


def open_result(page: Page, film: Path) -> str:
    show_result(page, film)
    expect(page.locator("#feedback")).to_be_visible()
    return page.url


def open_drawing(page: Page, film: Path) -> str:
    place = open_result(page, film)
    page.get_by_role("link", name="Correct the mask").click()
    page.locator("#viewer.drawn").wait_for()
    expect(page.get_by_text("Drawing needs scripts")).to_be_hidden()
    return place


def fetched(page: Page, address: str) -> np.ndarray:
    answer = page.request.get(address)
    assert answer.ok, answer.status
    return cv2.imdecode(np.frombuffer(answer.body(), np.uint8), cv2.IMREAD_UNCHANGED) > 0


def on_screen(page: Page, x: float, y: float, side: int = SIDE) -> tuple[float, float]:
    """Where a point of a film that fits its stage is on the screen."""
    box = page.locator(".stage").bounding_box()
    scale = min(box["width"], box["height"]) / side
    left, top = (box["width"] - side * scale) / 2, (box["height"] - side * scale) / 2
    return box["x"] + left + x * scale, box["y"] + top + y * scale


def drag(page: Page, *points: tuple[float, float], side: int = SIDE) -> None:
    for index, point in enumerate(points):
        page.mouse.move(*on_screen(page, *point, side))
        if index == 0:
            page.mouse.down()
    page.mouse.up()


def save(page: Page, place: str) -> np.ndarray:
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{place}#feedback")
    return fetched(page, f"{place}/reader_mask.png")


def near(points: list[tuple[float, float]], side: int = SIDE) -> np.ndarray:
    """Distance of every pixel's centre from a polyline."""
    y, x = np.mgrid[:side, :side] + 0.5
    distances = []
    for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        along = along.clip(0, 1)
        distances.append(np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
    return np.min(distances, axis=0)


def share(page: Page) -> float:
    """How much of the film is marked, as the page says, in percent."""
    found = re.match(r"([\d.]+) %", page.locator("#share").inner_text())
    return float(found[1]) if found else 0.0


def choose(page: Page, tool: str, size: int | None = None) -> None:
    page.get_by_role("radio", name=tool).check(force=True)
    if size:
        page.get_by_role("slider", name="Brush").fill(str(size))


def wait_for_frames(page: Page) -> None:
    """Wait until what was asked for is on the screen."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_what_is_drawn_is_what_training_learns(page, film, given, tmp_path, complaints):
    place = open_drawing(page, film)
    model_mask = fetched(page, f"{place}/model_mask.png")
    stroke, rubbed = [(100, 80), (180, 120), (170, 260)], [(60, 200), (330, 200)]
    choose(page, "Brush", 30)
    drag(page, *stroke)
    choose(page, "Eraser", 12)
    drag(page, *rubbed)
    drawn = save(page, place)

    expected = (model_mask | (near(stroke) <= 15)) & (near(rubbed) > 6)
    decided = (np.abs(near(stroke) - 15) > 0.7) & (np.abs(near(rubbed) - 6) > 0.7)  # a pointer has whole pixels
    assert (drawn == expected)[decided].all()
    assert decided.mean() > 0.98

    expect(page.locator("#feedback")).to_contain_text("text burned into it can identify the patient")
    assert not any((given / "images").iterdir())
    page.get_by_role("checkbox", name="may be kept for training").check()
    page.get_by_role("button", name="Keep a copy for training").click()
    expect(page.get_by_role("button", name="Withdraw")).to_be_visible()
    prepare(given, tmp_path / "prepared", size=SIDE)
    prepared = PreparedFilms.open(tmp_path / "prepared")
    np.testing.assert_array_equal(prepared.true_mask(0), drawn)
    assert list(prepared.table["label_source"]) == ["reader_mask"]

    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("checkbox", name="may be kept for training")).not_to_be_checked()
    assert not any((given / "images").iterdir())
    assert not any((given / "masks").iterdir())
    assert complaints == []


def test_the_result_shows_the_drawn_mask_and_on_request_the_model_s(page, film, complaints):
    place = open_drawing(page, film)
    choose(page, "Brush", 30)
    drag(page, (100, 80), (180, 300))
    save(page, place)
    page.locator("#viewer.drawn").wait_for()
    seen = {}
    for title in ("Your mask", "Model’s area"):
        page.get_by_role("radio", name=title).check(force=True)
        wait_for_frames(page)
        seen[title] = page.locator(".stage").screenshot()
    assert seen["Your mask"] != seen["Model’s area"]
    expect(page.locator("svg.overlay.area")).to_have_count(1)
    expect(page.locator("svg.overlay.model")).to_be_hidden()
    page.keyboard.press("a")
    expect(page.get_by_role("radio", name="Your mask")).to_be_checked()
    page.keyboard.press("o")
    expect(page.get_by_role("radio", name="Model’s area")).to_be_checked()
    assert complaints == []


def test_consent_needs_a_tick(page, film, given):
    open_result(page, film)
    expect(page.get_by_role("checkbox", name="may be kept")).to_have_count(0)
    page.get_by_role("button", name="Right", exact=True).click()
    page.get_by_role("button", name="Keep a copy for training").click()
    assert page.get_by_role("checkbox", name="may be kept").evaluate("box => box.validity.valueMissing")
    assert not any((given / "images").iterdir())


def test_undo_redo_clear_and_back_to_the_model_s_mask(page, film, complaints):
    place = open_drawing(page, film)
    model = share(page)
    assert model > 1
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_have_attribute("aria-disabled", "true")
    drag(page, (30, 30), (340, 340))
    once = share(page)
    assert once > model
    drag(page, (30, 340), (340, 30))
    assert share(page) > once
    undo.click()
    assert share(page) == once
    page.keyboard.press("Control+z")
    assert share(page) == model
    expect(undo).to_have_attribute("aria-disabled", "true")
    redo.click()
    page.keyboard.press("Control+Shift+Z")
    assert share(page) > once
    expect(redo).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#share")).to_have_text("Nothing marked")
    page.get_by_role("button", name="Model’s mask").click()
    assert share(page) == model
    page.keyboard.press("z")
    expect(page.locator("#share")).to_have_text("Nothing marked")
    assert not save(page, place).any()
    expect(page.locator("#feedback")).to_contain_text("Your mask marks nothing")
    assert complaints == []


def test_everything_works_from_the_keyboard(page, film):
    place = open_drawing(page, film)
    page.keyboard.press("Delete")
    size = int(page.get_by_role("slider", name="Brush").input_value())
    page.keyboard.press(".")
    assert int(page.get_by_role("slider", name="Brush").input_value()) > size
    for _ in range(30):
        page.keyboard.press(",")
    expect(page.locator("#size")).to_have_text("1 px")
    for _ in range(9):
        page.keyboard.press(".")
    size = int(page.get_by_role("slider", name="Brush").input_value())

    page.locator(".stage").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Down")
    for _ in range(40):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Up")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")  # this stroke is given up

    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{place}#feedback")
    drawn = fetched(page, f"{place}/reader_mask.png")
    expected = near([(192, 192), (232, 192)]) <= size / 2
    assert (drawn != expected).sum() <= 2  # on the circle itself, rounding decides


def test_a_change_of_tool_or_of_view_does_not_move_the_mask(page, film):
    place = open_drawing(page, film)
    before = share(page)
    choose(page, "Move")
    page.mouse.move(*on_screen(page, 200, 200))
    page.mouse.wheel(0, -600)
    drag(page, (200, 200), (150, 260))
    choose(page, "Window and level")
    drag(page, (200, 200), (150, 260))
    assert share(page) == before
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")

    page.keyboard.press("Delete")
    choose(page, "Brush", 4)
    middle = page.locator(".stage").bounding_box()
    page.mouse.click(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
    magnified = save(page, place)
    assert 10 <= magnified.sum() <= 16  # a circle of 4 pixels, wherever the film was moved to
    y, x = np.argwhere(magnified).mean(axis=0)
    assert math.hypot(x - 200, y - 200) > 10


def test_opacity_and_hiding_change_what_is_seen_only(page, film):
    open_drawing(page, film)
    before, picture = share(page), page.locator(".stage").screenshot()
    page.get_by_role("slider", name="Opacity").fill("90")
    wait_for_frames(page)
    opaque = page.locator(".stage").screenshot()
    page.keyboard.press("h")
    wait_for_frames(page)
    hidden = page.locator(".stage").screenshot()
    assert len({picture, opaque, hidden}) == 3
    assert share(page) == before


@contextmanager
def phone(browser, address) -> Iterator[Page]:
    context = browser.new_context(base_url=address, **PHONE)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def touch(fingers: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    touches = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_one_finger_draws_and_two_zoom(browser, address, film):
    with phone(browser, address) as page:
        place = open_drawing(page, film)
        page.get_by_role("button", name="Clear").tap()
        page.locator(".stage").scroll_into_view_if_needed()
        start, end = on_screen(page, 150, 150), on_screen(page, 250, 250)
        fingers = page.context.new_cdp_session(page)
        touch(fingers, "touchStart", start)
        touch(fingers, "touchMove", end)
        touch(fingers, "touchEnd")
        expect(page.locator("#share")).to_contain_text("marked")
        drawn = share(page)
        assert drawn > 1

        touch(fingers, "touchStart", start)
        touch(fingers, "touchStart", start, end)
        touch(fingers, "touchMove", (start[0] - 60, start[1] - 60), end)
        touch(fingers, "touchEnd")
        assert share(page) == drawn
        mask = save(page, place)
        assert mask[200, 200] and not mask[200, 100]


def test_a_film_of_sixteen_megapixels(page, phantom, tmp_path, complaints):
    film = tmp_path / "large.png"
    film.write_bytes(to_png(cv2.resize(phantom.image, (4000, 4000), interpolation=cv2.INTER_LINEAR)))
    place = open_drawing(page, film)
    page.get_by_role("button", name="Clear").click()
    choose(page, "Brush", 301)
    drag(page, (1000, 1000), (3000, 3000), side=4000)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Redo").click()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{place}#feedback", timeout=60_000)
    drawn = fetched(page, f"{place}/reader_mask.png")
    assert drawn.shape == (4000, 4000)
    expected = 2000 * math.sqrt(2) * 301 + math.pi * 150.5**2
    assert drawn.sum() == pytest.approx(expected, rel=0.01)
    assert drawn[2000, 2000] and drawn[1000, 1000] and not drawn[2000, 2400]
    assert complaints == []


def test_a_drawing_is_not_lost_without_a_question(page, film):
    place = open_drawing(page, film)
    drag(page, (100, 100), (200, 200))
    with page.expect_event("dialog") as question:
        page.evaluate("void setTimeout(() => location.assign('/'))")
    assert question.value.type == "beforeunload"
    question.value.dismiss()
    save(page, place)  # asks nothing


def test_a_drawing_that_cannot_be_saved_stays(page, film):
    open_drawing(page, film)
    drag(page, (100, 100), (200, 200))
    drawn = share(page)
    page.route("**/correct", lambda route: route.abort())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Your drawing is still here.")
    page.unroute("**/correct")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("The server has this film no longer.")
    assert share(page) == drawn
    with page.expect_download() as started:
        page.get_by_role("link", name="Download your drawing").click()
    mask = cv2.imdecode(np.fromfile(started.value.path(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert 100 * (mask > 0).mean() == pytest.approx(drawn, abs=0.01)


def test_a_mask_that_is_refused_is_sent_once_and_the_reason_is_told(page, film):
    open_drawing(page, film)
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    page.evaluate("OffscreenCanvas.prototype.convertToBlob = async () => new Blob(['no picture'])")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("What was sent as a mask is no PNG, or a damaged one.")
    assert len(sent) == 1


def test_without_its_mask_the_page_says_so_and_saves_nothing(page, film):
    place = open_result(page, film)
    page.route("**/model_mask.png", lambda route: route.abort())
    page.goto(f"{place}/correct")
    expect(page.get_by_role("alert")).to_have_text("Film or mask could not be loaded. Reload the page.")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.unroute("**/model_mask.png")
    page.reload()
    expect(page.get_by_role("button", name="Save")).to_be_enabled()


def test_a_session_that_ends_during_a_stroke_takes_nothing_of_it(page, film):
    page.clock.install()
    open_drawing(page, film)
    page.get_by_role("button", name="Clear").click()
    start, end = on_screen(page, 100, 100), on_screen(page, 250, 250)
    page.mouse.move(*start)
    page.mouse.down()
    page.clock.fast_forward("56:00")
    expect(page.locator("#expiring")).to_be_visible()
    page.clock.fast_forward("05:00")
    expect(page.locator("#expiring")).to_contain_text("Expired")
    assert on_screen(page, 100, 100) == start  # the film has not moved under the brush
    page.mouse.move(*end)
    page.mouse.up()
    assert share(page) > 1
    with page.expect_event("dialog") as question:
        page.evaluate("void setTimeout(() => location.assign('/'))")
    question.value.dismiss()


def test_a_verdict_works_without_scripts(browser, address, film):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.set_input_files("#films", film)
    page.get_by_role("button", name="Analyse").click()
    page.get_by_role("button", name="Wrong", exact=True).click()
    expect(page.get_by_role("button", name="Wrong", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Correct the mask").click()
    expect(page.get_by_text("Drawing needs scripts")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_pages_are_accessible_and_fit(page, film, size, complaints):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    place = open_result(page, film)
    page.get_by_role("button", name="Right", exact=True).click()
    expect(page.get_by_role("checkbox", name="may be kept")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Correct the mask").click()
    page.locator("#viewer.drawn").wait_for()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Keys").click()
    assert_accessible(page)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Clear").click()
    save(page, place)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
