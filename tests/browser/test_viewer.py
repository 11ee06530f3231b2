"""The viewer of a result, as hands and eyes meet it: every control, every key, in the colours that are really drawn."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SIZES, assert_accessible, show_result
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.body import FIELD_MM

MARK = (255, 182, 61)  # #ffb63d
PAGE_WEIGHT = 150 * 1024
TOUCH = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="session")
def png(phantom, tmp_path_factory) -> Path:
    """The synthetic film as a PNG: it says nothing of sides and sizes."""
    path = tmp_path_factory.mktemp("films") / "chest.png"
    path.write_bytes(to_png(phantom.image))
    return path


@pytest.fixture
def opened(page, film) -> Page:
    """A page with the DICOM film's result."""
    return open_viewer(page, film)


def open_viewer(page: Page, film: Path) -> Page:
    show_result(page, film)
    expect(page.locator("#viewer.drawn")).to_be_visible()
    return page


def settle(page: Page) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page: Page) -> np.ndarray:
    """The stage as it is on the screen, RGB (H, W, 3), in CSS pixels."""
    settle(page)
    shot = page.locator(".stage").screenshot(scale="css")
    return cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)


def film_box(page: Page) -> tuple[float, float, float, float]:
    """Where the fitted square film lies on the stage: left, top, width, height."""
    box = page.locator(".stage").bounding_box()
    side = min(box["width"], box["height"])
    return (box["width"] - side) / 2, (box["height"] - side) / 2, side, side


def state(page: Page) -> dict:
    """The view's centre and scale, and the settings."""
    settle(page)
    return page.evaluate(
        """async () => {
            const { viewer } = await import("/static/viewer.js");
            const { centre, scale, fitted } = viewer.stage.view;
            return { ...viewer.settings.now, centre, scale, fitted };
        }"""
    )


def middle(page: Page) -> tuple[float, float]:
    """The stage's middle, on the page."""
    box = page.locator(".stage").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, dx: float, dy: float, button: str = "left") -> None:
    """Drag from the stage's middle."""
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up(button=button)


def film_at(page: Page, x: float, y: float) -> list[float]:
    """The film's own pixel under a place of the page."""
    return page.evaluate(
        """async ([clientX, clientY]) => {
            const { viewer: { stage } } = await import("/static/viewer.js");
            const { x, y } = stage.view.toFilm(stage.panes[0], stage.placeOf({ clientX, clientY }));
            return [x, y];
        }""",
        [x, y],
    )


def key(page: Page, name: str) -> dict:
    page.keyboard.press(name)
    return state(page)


def without_overlay(page: Page) -> np.ndarray:
    page.get_by_role("radio", name="Off").check()
    return pixels(page)


def nearest_marks(shown: np.ndarray) -> int:
    """How many pixels have exactly the overlay's colour."""
    return int((np.abs(shown - MARK).max(axis=-1) < 12).sum())


def test_the_film_is_drawn_as_it_was_sent(opened, phantom, complaints):
    shown = without_overlay(opened)[..., 0]
    left, top, side, _ = (round(length) for length in film_box(opened))
    drawn = shown[top : top + side, left : left + side].astype(np.float32)
    expected = cv2.resize(255 * phantom.image, (side, side), interpolation=cv2.INTER_LINEAR)
    inside = np.s_[side // 5 : -side // 5, side // 5 : -side // 5]  # clear of the letters at the edges
    assert np.abs(drawn - expected)[inside].mean() < 3
    assert complaints == []


def test_the_wheel_enlarges_what_is_under_the_cursor(opened):
    x, y = middle(opened)
    x, y = x + 90, y - 60
    opened.mouse.move(x, y)
    before, scale = film_at(opened, x, y), state(opened)["scale"]
    opened.mouse.wheel(0, -300)
    assert state(opened)["scale"] > 1.3 * scale
    assert film_at(opened, x, y) == pytest.approx(before, abs=0.5)
    opened.mouse.wheel(0, 10_000)
    assert state(opened)["scale"] == pytest.approx(scale / 2)  # it cannot be lost from sight


def test_drags_move_the_film_and_fit_brings_it_back(opened):
    fitted = state(opened)
    assert fitted["fitted"]
    before = film_at(opened, *middle(opened))
    drag(opened, 80, -50)
    x, y = middle(opened)
    assert film_at(opened, x + 80, y - 50) == pytest.approx(before, abs=0.5)
    opened.get_by_role("button", name="Fit").click()
    assert state(opened) == fitted


def test_one_to_one_shows_a_film_pixel_for_each_of_the_screen(opened):
    opened.get_by_role("button", name="One film pixel to one of the screen").click()
    assert state(opened)["scale"] == pytest.approx(1)
    expect(opened.locator("#zoom")).to_have_text("100 %")


def test_double_clicks_enlarge_and_fit_again(opened):
    opened.mouse.dblclick(*middle(opened))
    assert not state(opened)["fitted"]
    opened.mouse.dblclick(*middle(opened))
    assert state(opened)["fitted"]


def test_window_and_level_by_drag_and_by_slider(opened):
    plain = without_overlay(opened)
    opened.get_by_role("radio", name="Window and level").check()
    drag(opened, -100, 40)
    now = state(opened)
    assert (now["window"], now["level"]) == (75, 60)
    darker = pixels(opened)
    assert darker.mean() < plain.mean()
    opened.get_by_role("slider", name="Level").fill("30")
    assert pixels(opened).mean() > darker.mean()
    expect(opened.locator("#windowing")).to_have_text("W 75 L 30")
    opened.get_by_role("button", name="Reset the display").click()
    assert (state(opened)["window"], state(opened)["level"]) == (100, 50)


def test_the_right_button_windows_whatever_the_tool(opened):
    drag(opened, 40, 0, button="right")
    assert state(opened)["window"] == 110


def test_window_and_level_change_the_greys_as_they_say(opened, phantom):
    without_overlay(opened)
    opened.get_by_role("slider", name="Window").fill("50")
    opened.get_by_role("slider", name="Level").fill("60")
    left, top, side, _ = (round(length) for length in film_box(opened))
    drawn = pixels(opened)[top : top + side, left : left + side, 0].astype(np.float32)
    film = cv2.resize(phantom.image, (side, side), interpolation=cv2.INTER_LINEAR)
    expected = 255 * np.clip((film - 0.35) / 0.5, 0, 1)
    inside = np.s_[side // 5 : -side // 5, side // 5 : -side // 5]
    assert np.abs(drawn - expected)[inside].mean() < 5


def test_invert_turns_greys_round(opened):
    plain = without_overlay(opened)
    opened.get_by_role("button", name="Invert").click()
    left, top, side, _ = (round(length) for length in film_box(opened))
    inside = np.s_[top + side // 4 : top + side // 2, left + side // 4 : left + side // 2]
    assert np.abs(pixels(opened)[inside] + plain[inside] - 255).mean() < 3


def test_mirror_exchanges_sides_and_letters_and_says_so(opened):
    plain = without_overlay(opened)
    opened.get_by_role("button", name="Mirror").click()
    expect(opened.get_by_text("Mirrored: the patient’s sides are exchanged")).to_be_visible()
    left, top, side, _ = (round(length) for length in film_box(opened))
    inside = np.s_[top + side // 4 : top + 3 * side // 4, left + side // 4 : left + 3 * side // 4]  # no letter, no sign
    # coarsely: the film's middle may lie between two pixels, and fine noise does not match itself a pixel off
    plain, mirrored = (
        cv2.resize(shown[inside].astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA)
        for shown in (plain, pixels(opened))
    )
    assert np.abs(mirrored - plain[:, ::-1]).mean() < np.abs(mirrored - plain).mean() / 2
    letters = opened.evaluate(
        """async () => {
            const { drawSides } = await import("/static/viewer/marks.js");
            const written = (mirrored) => {
                const found = [];
                const fillText = (letter, x) => found.push([letter, x]);
                const context = { strokeText() {}, fillText };
                drawSides("right")(context, { x: 0, y: 0, width: 100, height: 100 }, { mirrored });
                return found.sort(([, x], [, other]) => x - other).map(([letter]) => letter).join("");
            };
            return [written(false), written(true)];
        }"""
    )
    assert letters == ["RL", "LR"]


def test_letters_of_sides_stand_only_where_the_file_says_which_is_which(page, film, png):
    open_viewer(page, film)
    expect(page.locator("figcaption")).to_contain_text("Left edge of the picture: the patient’s right, as the file")
    expect(page.locator("tbody th").first).to_have_text(re.compile("^Patient’s (left|right)$"))
    assert page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.stage.fixtures.length)") == 3
    open_viewer(page, png)
    expect(page.locator("figcaption")).to_contain_text("Side as displayed: the file does not say")
    expect(page.locator("tbody th").first).to_contain_text(
        re.compile("Picture’s (left|right).*if displayed as usual", re.S)
    )
    assert page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.stage.fixtures.length)") == 1


def test_the_marked_area_as_fill_contour_and_pattern(opened):
    bare = without_overlay(opened)
    opened.get_by_role("radio", name="Area").check()
    changed = {}
    for style in ("Fill", "Contour", "Pattern"):
        opened.get_by_role("radio", name=style).check()
        changed[style] = int((np.abs(pixels(opened) - bare).max(axis=-1) > 20).sum())
    assert changed["Contour"] < changed["Pattern"] < changed["Fill"]
    assert nearest_marks(bare) == 0


def test_the_fill_lies_where_the_mask_is_and_opacity_is_its_own(opened):
    bare = without_overlay(opened)
    opened.get_by_role("radio", name="Area").check()
    slider = opened.get_by_role("slider", name="Opacity")
    slider.fill("100")
    address = opened.url + "/mask.png"
    mask = cv2.imdecode(np.frombuffer(opened.request.get(address).body(), np.uint8), cv2.IMREAD_GRAYSCALE)
    left, top, side, _ = (round(length) for length in film_box(opened))
    expected = cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST) > 0
    shown = pixels(opened)[top : top + side, left : left + side]
    marked = np.abs(shown - MARK).max(axis=-1) < 12
    sure = cv2.erode(expected.astype(np.uint8), np.ones((9, 9))) > 0
    far = cv2.dilate(expected.astype(np.uint8), np.ones((15, 15))) == 0
    assert marked[sure].mean() > 0.95
    assert marked[far].mean() == 0
    slider.press("ArrowLeft")
    assert state(opened)["opacity"] == 95
    slider.fill("0")
    within = np.pad(expected[8:-8, 8:-8], 8).astype(np.uint8)  # a contour runs along the film's edge, too
    inside = cv2.erode(within, np.ones((15, 15))) > 0
    faint = pixels(opened)[top : top + side, left : left + side]
    assert np.abs(faint - bare[top : top + side, left : left + side])[inside].mean() < 3


@pytest.mark.parametrize("name, layer", [("Probability", "probability"), ("Uncertainty", "uncertainty")])
def test_maps_are_drawn_with_their_legends(opened, name, layer, complaints):
    bare = without_overlay(opened)
    with opened.expect_response(re.compile(r"(probability|disagreement)\.png")):
        opened.get_by_role("radio", name=name).check()
    opened.get_by_role("slider", name="Opacity").fill("100")
    left, top, side, _ = (round(length) for length in film_box(opened))
    expect(opened.locator(f".map-scale canvas[data-map={layer}]")).to_be_visible()
    assert share_coloured(bare[top : top + side, left : left + side]) == 0
    for _ in range(100):
        if share_coloured(pixels(opened)[top : top + side, left : left + side]) > 0.03:
            break
        opened.wait_for_timeout(50)
    else:
        pytest.fail("no colours over the film")
    assert complaints == []


def share_coloured(shown: np.ndarray) -> float:
    """Which share of the pixels is not grey."""
    return float(((shown.max(axis=-1) - shown.min(axis=-1)) > 20).mean())


def test_a_map_has_the_colours_of_its_legend(opened):
    """Both are made from one table; where the map is certain the film does not shine through."""
    colours = opened.evaluate(
        """async () => {
            const { MAPS, tableOf } = await import("/static/viewer/colours.js");
            return Object.fromEntries(Object.entries(MAPS).map(([name, map]) => [name, [...tableOf(map)]]));
        }"""
    )
    for name, top in (("probability", 255), ("uncertainty", 127)):
        table = np.array(colours[name]).reshape(256, 4)
        assert table[0, 3] == 0
        assert table[top, 3] == 255
        luminance = table[:top, :3] @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(luminance) > -1).all(), "a darker colour would seem to mean less"


def test_side_by_side_shows_the_bare_film_beside_the_marked_one(opened):
    opened.get_by_role("radio", name="Side by side").check()
    shown = pixels(opened)
    half = shown.shape[1] // 2
    assert nearest_marks(shown[:, : half - 1]) == 0
    assert nearest_marks(shown[:, half:]) > 50
    drag(opened, 30, 0)
    assert not state(opened)["fitted"]  # both move together: there is one view


def test_the_divider_of_the_swipe_follows_mouse_and_slider(opened):
    opened.get_by_role("radio", name="Swipe").check()
    opened.get_by_role("slider", name="Divider").fill("100")
    assert nearest_marks(pixels(opened)[:, :-40]) == 0
    opened.get_by_role("slider", name="Divider").fill("50")
    drag(opened, -200, 0)
    assert state(opened)["swipe"] < 35
    assert state(opened)["fitted"]  # the film stayed


def test_the_ruler_measures_millimetres_on_the_detector(opened):
    opened.get_by_role("radio", name="Ruler").check()
    left, top, side, _ = film_box(opened)
    drag(opened, 0.25 * side, 0)
    expect(opened.locator("#said")).to_have_text(re.compile(r"\d+\.\d mm on the detector"))
    assert measured(opened) == pytest.approx(FIELD_MM / 4, abs=1.5)
    opened.get_by_role("button", name="Clear the distances").click()
    assert rulers(opened) == 0


def measured(page: Page) -> float:
    return float(page.locator("#said").inner_text().split()[0])


def rulers(page: Page) -> int:
    return page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.tools.ruler.distances.length)")


def test_the_ruler_works_with_keys_alone(opened):
    opened.keyboard.press("r")
    opened.locator(".stage").focus()
    opened.keyboard.press("Enter")
    for _ in range(5):
        opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Enter")
    side = film_box(opened)[2]
    assert measured(opened) == pytest.approx(40 * FIELD_MM / side, abs=0.6)
    opened.keyboard.press("Delete")
    assert rulers(opened) == 0


def test_pixels_that_were_not_square_measure_the_same_along_both_axes(page, phantom, tmp_path):
    path = tmp_path / "oblong.dcm"
    path.write_bytes(to_dicom(phantom.image, ImagerPixelSpacing=[1.2, 0.6]))
    open_viewer(page, path)
    length = "([a, b]) => import('/static/viewer.js').then(({ viewer }) => viewer.tools.ruler.length([a, b]))"
    assert page.evaluate(length, [{"x": 0, "y": 0}, {"x": 100, "y": 0}]) == pytest.approx(60)
    assert page.evaluate(length, [{"x": 0, "y": 0}, {"x": 0, "y": 100}]) == pytest.approx(60)


def test_without_known_pixel_spacing_there_is_no_ruler(page, png):
    open_viewer(page, png)
    expect(page.get_by_role("radio", name="Ruler")).to_be_disabled()
    expect(page.get_by_text("Ruler off: this file does not say how large its pixels are")).to_be_visible()
    assert key(page, "r")["tool"] == "move"
    expect(page.locator("tbody")).not_to_contain_text("mm²")
    expect(page.locator("tbody")).to_contain_text("of the film")


def test_keys_do_everything(opened):
    fitted = state(opened)["scale"]
    assert key(opened, "+")["scale"] == pytest.approx(1.25 * fitted)
    assert key(opened, "-")["scale"] == pytest.approx(fitted)
    assert key(opened, "1")["scale"] == pytest.approx(1)
    assert key(opened, "0")["fitted"]
    assert key(opened, "i")["invert"]
    assert key(opened, "m")["mirror"]
    assert key(opened, "w")["tool"] == "window"
    assert key(opened, "v")["tool"] == "move"
    assert key(opened, "h")["layer"] == "off"
    assert key(opened, "h")["layer"] == "area"
    assert key(opened, "p")["layer"] == "probability"
    assert key(opened, "u")["layer"] == "uncertainty"
    assert key(opened, "a")["layer"] == "area"
    assert key(opened, "s")["style"] == "contour"
    assert key(opened, "]")["opacity"] == 50
    assert key(opened, "[")["opacity"] == 45
    assert key(opened, "c")["compare"] == "side"
    assert key(opened, "c")["compare"] == "swipe"
    changed = key(opened, "x")
    assert not changed["invert"]
    assert (changed["compare"], changed["style"]) == ("off", "fill")
    opened.locator(".stage").focus()
    assert key(opened, "Shift+ArrowRight")["window"] == 104
    assert not key(opened, "ArrowRight")["fitted"]


def test_full_screen_by_key(opened):
    opened.keyboard.press("f")
    expect(opened.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "true")
    assert opened.evaluate("document.fullscreenElement === document.documentElement")  # the next film stays in it
    assert state(opened)["fitted"]
    opened.keyboard.press("f")
    expect(opened.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "false")


def test_the_sheet_lists_every_key_and_switches_them_off(opened):
    opened.keyboard.press("?")
    sheet = opened.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    for label in ("Zoom in", "Invert", "Ruler", "Probability map", "This sheet"):
        expect(sheet.get_by_text(label, exact=True)).to_be_visible()
    assert_accessible(opened)
    sheet.get_by_role("checkbox", name="Answer these keys").uncheck()
    opened.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert not key(opened, "i")["invert"]
    opened.reload()
    expect(opened.locator("#viewer.drawn")).to_be_visible()
    assert not key(opened, "i")["invert"]  # the choice is remembered


def test_the_viewer_is_worked_with_the_keyboard_alone(opened):
    """Tab reaches every control in turn, in the order they are seen, and none holds the focus."""
    controls = opened.locator(".viewer :is(button, input, .stage):not(:disabled) >> visible=true")
    groups = opened.evaluate(
        """() => new Set([...document.querySelectorAll(".viewer input[type=radio]:enabled")]
            .filter((input) => input.checkVisibility()).map((input) => input.name)).size"""
    )
    radios = opened.locator(".viewer input[type=radio]:enabled >> visible=true").count()
    expected = controls.count() - radios + groups
    opened.locator(".viewer input").first.focus()
    reached = 1
    while opened.evaluate("!!document.activeElement.closest('.viewer')") and reached <= expected:
        opened.keyboard.press("Tab")
        reached += opened.evaluate("!!document.activeElement.closest('.viewer')")
    assert reached == expected


def test_fingers_pinch_and_drag(browser, address, film):
    context = browser.new_context(base_url=address, **TOUCH)
    page = open_viewer(context.new_page(), film)
    touches = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    page.locator(".stage").scroll_into_view_if_needed()
    x, y = middle(page)
    scale = state(page)["scale"]
    touch("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 80, 100):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    enlarged = state(page)
    assert enlarged["scale"] == pytest.approx(2.5 * scale, rel=0.1)
    before = film_at(page, x, y)
    touch("touchStart", (x, y))
    for step in (10, 20, 30, 40):
        touch("touchMove", (x + step, y + step))
    touch("touchEnd")
    assert film_at(page, x + 40, y + 40) == pytest.approx(before, abs=15)
    assert state(page)["centre"] != enlarged["centre"]
    context.close()


def test_a_finger_on_a_fitted_film_scrolls_the_page(browser, address, film):
    context = browser.new_context(base_url=address, **TOUCH)
    page = open_viewer(context.new_page(), film)
    expect(page.locator(".stage")).to_have_css("touch-action", "pan-y")
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".stage")).to_have_css("touch-action", "none")
    context.close()


def test_webgl_and_canvas_draw_the_same(opened, phantom):
    """The film looks alike in a browser that has WebGL 2 and in one that has not."""
    difference = opened.evaluate(
        """async () => {
            const { WebglFilm } = await import("/static/viewer/film_webgl.js");
            const { CanvasFilm } = await import("/static/viewer/film_canvas.js");
            const { viewer } = await import("/static/viewer.js");
            const bitmap = await createImageBitmap(document.querySelector(".film img"));
            const { view, panes } = viewer.stage;
            const [width, height] = [viewer.stage.element.clientWidth, viewer.stage.element.clientHeight];
            const canvas = () => Object.assign(document.createElement("canvas"), { width, height });
            const holder = document.createElement("div");
            const [one, two] = [canvas(), canvas()];
            holder.append(one, two);
            let webgl;
            try { webgl = new WebglFilm(one, bitmap, true); } catch { return "none"; }  // here only software does it
            const plain = { ...viewer.settings.now, window: 100, level: 50, invert: false };
            webgl.draw(panes, view, plain, 1);
            const greys = (source) => {
                const copy = canvas().getContext("2d");
                copy.drawImage(source, 0, 0);
                return copy.getImageData(0, 0, width, height).data.filter((_, index) => index % 4 === 0);
            };
            const first = greys(one);
            (await CanvasFilm.make(two, bitmap)).draw(panes, view, plain, 1);
            const second = greys(two);
            return first.reduce((sum, grey, index) => sum + Math.abs(grey - second[index]), 0) / first.length;
        }"""
    )
    if difference == "none":
        pytest.skip("this browser has no WebGL 2")
    assert difference < 2


def test_without_a_graphics_processor_the_film_is_drawn_by_canvas(opened):
    """Software does WebGL here, and more slowly."""
    name = opened.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.stage.film.constructor.name)")
    assert name == "CanvasFilm"


def test_however_often_the_film_is_moved_it_is_drawn_once_a_frame(opened):
    drawn = opened.evaluate(
        """async () => {
            const { viewer: { stage } } = await import("/static/viewer.js");
            const frame = () => new Promise(requestAnimationFrame);
            await frame();
            let count = 0;
            stage.element.addEventListener("drawn", () => { count += 1; });
            for (let step = 0; step < 50; step++) {
                stage.view.pan(1, 1);
                stage.redraw();
            }
            await frame();
            await frame();
            return count;
        }"""
    )
    assert drawn == 1


def test_the_page_is_light_without_the_film(page, film):
    sizes = {}
    page.on("requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}))
    open_viewer(page, film)
    page.reload()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    weights = {url: size for url, size in sizes.items() if not url.endswith("film.png") and "/examples/" not in url}
    assert sum(weights.values()) <= PAGE_WEIGHT, weights
    assert any("viewer.js" in url for url in weights)


@pytest.mark.parametrize("size", SIZES)
def test_every_state_is_accessible_in_both_themes(page, png, size, complaints):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_viewer(page, png)
    for name in ("Probability", "Uncertainty"):
        page.get_by_role("radio", name=name).check()
        assert_accessible(page)
    for name in ("Swipe", "Side by side"):
        page.get_by_role("radio", name=name).check()
    page.get_by_role("button", name="Mirror").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
