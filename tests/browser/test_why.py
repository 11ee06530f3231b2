"""The section that shows what moved the score, in a real browser."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.analysis import saliency
from app.segmentation.network import attribution
from app.segmentation.network.attribution import Occlusion, occlude
from tests.support.browser import SIZES, assert_accessible

PAINTED = """canvas => {
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}"""


@pytest.fixture(autouse=True)
def coarse(monkeypatch) -> None:
    """Hide 49 patches, not 225: the server runs in this process."""
    monkeypatch.setattr(attribution, "occlude", partial(occlude, cells=8))


@pytest.fixture
def gate(monkeypatch) -> Iterator[threading.Event]:
    """Have an occlusion stop after two steps, until the event is set; `gate.left` is set when its reader has left."""
    gate = threading.Event()
    gate.left = threading.Event()

    def wait(*arguments, **options) -> Iterator[Occlusion]:
        try:
            for count, step in enumerate(occlude(*arguments, cells=8, **options)):
                yield step
                if count >= 1:
                    gate.wait(0.05)  # then the next line, by whose failure the server sees that nobody reads
        finally:
            gate.left.set()

    monkeypatch.setattr(attribution, "occlude", wait)
    yield gate
    gate.set()


def open_result(page: Page, film: Path) -> None:
    page.goto("/")
    page.set_input_files("#films", film)
    page.get_by_role("link", name="chest.dcm").click()
    expect(page.get_by_role("heading", name="Why this score?")).to_be_visible()


def open_section(page: Page) -> None:
    page.get_by_text("Show what moved the score").click()
    expect(page.locator(".why-score")).to_contain_text("The score explained")


def painted(page: Page) -> int:
    return page.locator(".why-map").evaluate(PAINTED)


def way(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def test_nothing_is_loaded_until_it_is_opened(page, film, complaints):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_result(page, film)
    assert not [url for url in asked if "/why/" in url or "/explanations" in url]
    expect(page.locator(".why-body")).to_be_hidden()
    open_section(page)
    assert [url for url in asked if url.endswith("/explanations/activations")]
    assert not [url for url in asked if url.endswith("/explanations/occlusion")]
    assert complaints == []


def test_stages_are_chosen_by_the_keyboard(page, film, complaints):
    open_result(page, film)
    open_section(page)
    stages = page.locator("[name=why-stage]")
    expect(stages).to_have_count(5)
    expect(stages.last).to_be_checked()
    expect(page.get_by_role("radio", name="1, fine 12 × 12")).to_be_visible()  # 384 pixels in 32 cells
    assert page.locator(".why-map").evaluate("canvas => canvas.width") == 2
    stages.last.focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".why-map").evaluate("canvas => canvas.width") == 4
    stages.first.check()
    assert painted(page) > 10
    expect(page.locator(".why-sentence")).to_contain_text("Raised the score most at the picture’s")
    assert page.locator(".why-map").bounding_box() == page.get_by_alt_text("The film that is explained").bounding_box()

    opacity = page.get_by_role("slider", name="Opacity of the map")
    opacity.fill("25")
    expect(page.locator(".why-map")).to_have_css("opacity", "0.25")
    assert complaints == []


def test_feature_maps_are_small_multiples(page, film, complaints):
    open_result(page, film)
    open_section(page)
    way(page, "Feature maps").check()
    maps = page.locator("[name=why-feature]")
    expect(maps).to_have_count(12)
    expect(page.locator(".why-features canvas").last).to_have_js_property("width", 112)
    first = page.locator(".why-sentence").inner_text()
    assert first.startswith("Channel ")
    maps.first.focus()
    page.keyboard.press("ArrowRight")
    expect(maps.nth(1)).to_be_checked()
    assert page.locator(".why-sentence").inner_text() != first
    assert complaints == []


def test_occlusion_is_computed_once_and_shown_again_at_once(page, film, complaints):
    open_result(page, film)
    open_section(page)
    way(page, "Hiding patches").check()
    assert painted(page) == 0
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".why-outcome")).to_have_text("Complete: 49 patches were tried.")
    expect(page.locator(".why-outcome")).to_be_focused()  # it had been on the button that is gone
    expect(page.locator(".why-sentence")).to_contain_text("The score ")
    assert painted(page) > 10

    asked = []
    page.on("request", lambda request: asked.append(request.method))
    page.reload()
    expect(page.locator(".why-score")).to_contain_text("The score explained")
    way(page, "Hiding patches").check()
    expect(page.locator(".why-outcome")).to_have_text("Complete: 49 patches were tried.")
    expect(page.get_by_role("button", name="Start")).to_be_hidden()
    assert painted(page) > 10
    assert set(asked) == {"GET"}
    assert complaints == []


def test_occlusion_grows_and_can_be_cancelled(page, film, gate, complaints):
    open_result(page, film)
    open_section(page)
    way(page, "Hiding patches").check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    expect(page.locator(".why-count")).to_contain_text("of 49 patches, about")
    expect(page.locator(".why-sentence")).to_contain_text("So far: ")
    assert 0 < page.get_by_role("progressbar").evaluate("bar => bar.value") < 49
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.locator(".why-outcome")).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Start")).to_be_focused()
    expect(page.locator(".why-sentence")).to_have_text("Not computed yet.")
    assert painted(page) == 0  # half a map misleads
    assert gate.left.wait(timeout=20), "the server went on"
    gate.set()
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".why-outcome")).to_have_text("Complete: 49 patches were tried.")
    assert complaints == []


def test_a_refusal_is_shown_and_can_be_retried(page, film):
    open_result(page, film)
    problem = '{"title": "Another model gave this answer", "detail": "Upload the film again.", "code": "other_model"}'
    page.route("**/activations", lambda route: route.fulfill(status=409, body=problem))
    page.get_by_text("Show what moved the score").click()
    expect(page.locator(".why-reason")).to_have_text("Another model gave this answer. Upload the film again.")
    assert_accessible(page)
    page.unroute("**/activations")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".why-score")).to_contain_text("The score explained")
    expect(page.locator(".why-failed")).to_be_hidden()


def test_a_busy_server_says_so(page, film, monkeypatch):
    monkeypatch.setattr(saliency.Saliency, "start_occlusion", lambda self: False)
    open_result(page, film)
    open_section(page)
    way(page, "Hiding patches").check()
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".why-outcome")).to_contain_text("Another film is being explained.")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_it_follows_the_mirrored_film(page, film):
    open_result(page, film)
    open_section(page)
    expect(page.locator(".why-film")).to_have_css("transform", "none")
    page.get_by_role("button", name="Mirror").click()
    expect(page.locator(".why-film")).to_have_css("transform", "matrix(-1, 0, 0, 1, 0, 0)")


def test_without_scripts_it_says_so(browser, address, film):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.set_input_files("#films", film)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_text("This section needs scripts")).to_be_visible()
    expect(page.locator(".why details")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_every_state_is_accessible_and_fits(page, film, size, complaints):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_result(page, film)
    assert_accessible(page)
    open_section(page)
    assert_accessible(page)
    for name in ("Feature maps", "Hiding patches"):
        way(page, name).check()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".why-outcome")).to_contain_text("Complete")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
