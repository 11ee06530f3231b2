"""The whole way of a film, in a real browser."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

SIZES = [(1440, 900), (390, 844)]


def upload(page: Page, *paths: Path) -> None:
    page.goto("/")
    before = page.locator(".outcome").count()
    page.set_input_files("#films", paths)
    expect(page.locator(".outcome")).to_have_count(before + len(paths), timeout=30_000)


def open_result(page: Page, film: Path) -> None:
    upload(page, film)
    expect(page.locator("#progress")).to_have_text("chest.dcm: Pneumothorax suspected, 1 warning")
    expect(page.locator(".empty")).to_be_hidden()
    page.get_by_role("link", name="chest.dcm").click()
    expect(page.get_by_role("slider", name="Opacity")).to_be_visible()  # the script runs


def opacity(page: Page) -> float:
    return page.locator(".fill").evaluate("element => Number(getComputedStyle(element).opacity)")


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_from_a_dicom_film_to_its_overlay(page, film, complaints):
    open_result(page, film)
    expect(page.get_by_role("heading", level=1)).to_have_text("Pneumothorax suspected")

    shown = page.get_by_alt_text("The uploaded chest radiograph")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [384, 384]
    expect(page.locator(".overlay")).to_be_visible()
    assert page.locator(".overlay").bounding_box() == shown.bounding_box()
    assert page.locator(".contour").evaluate("path => path.getTotalLength()") > 100
    expect(page.locator("tbody")).to_contain_text("mm² at the detector")

    slider = page.get_by_role("slider", name="Opacity")
    assert opacity(page) == pytest.approx(0.35)
    slider.focus()
    slider.press("ArrowRight")
    assert opacity(page) == pytest.approx(0.40)
    slider.fill("80")
    assert opacity(page) == pytest.approx(0.80)
    expect(page.locator("output")).to_have_text("80 %")
    assert complaints == []


def test_keys_hide_overlay_and_contour(page, film, complaints):
    open_result(page, film)
    overlay, contour = page.locator(".overlay .fill"), page.locator(".contour")
    page.keyboard.press("c")
    expect(contour).to_be_hidden()
    expect(overlay).to_be_visible()
    page.keyboard.press("c")
    expect(contour).to_be_visible()
    page.keyboard.press("h")
    expect(overlay).to_be_hidden()
    expect(contour).to_be_hidden()
    page.get_by_role("checkbox", name="Keys").uncheck()
    page.keyboard.press("h")
    expect(overlay).to_be_hidden()
    page.get_by_role("checkbox", name="Overlay").check()
    expect(overlay).to_be_visible()
    assert complaints == []


def test_the_overlay_is_drawn_where_the_mask_is(page, film):
    """The fill's mask comes from a picture: a browser that could not load it would draw nothing."""
    open_result(page, film)
    page.get_by_role("checkbox", name="Contour").uncheck()
    with_fill = page.locator(".film").screenshot()
    page.get_by_role("checkbox", name="Overlay").uncheck()
    assert page.locator(".film").screenshot() != with_fill


def test_brightness_is_changed_and_reset(page, film):
    open_result(page, film)
    shown = page.get_by_alt_text("The uploaded chest radiograph")
    page.get_by_role("slider", name="Brightness").fill("150")
    expect(shown).to_have_css("filter", "brightness(1.5) contrast(1)")
    page.get_by_role("button", name="Reset").click()
    expect(shown).to_have_css("filter", "brightness(1) contrast(1)")


def test_each_film_that_fails_says_why(page, film, tmp_path):
    broken, huge, letter = tmp_path / "broken.dcm", tmp_path / "huge.dcm", tmp_path / "letter.txt"
    broken.write_bytes(film.read_bytes()[:50_000])
    letter.write_text("no film")
    with huge.open("wb") as file:
        file.truncate(33 * 2**20)
    upload(page, broken, film, huge, letter)
    outcomes = page.locator("#film-list > li")
    expect(outcomes.nth(0)).to_contain_text("truncated_image")
    expect(outcomes.nth(1)).to_contain_text("Pneumothorax suspected")
    expect(outcomes.nth(2)).to_contain_text("The file has 33.0 MiB; 32 MiB is the limit.")
    expect(outcomes.nth(3)).to_contain_text("unsupported_format")
    expect(page.locator("#progress")).to_contain_text("letter.txt: This kind of file cannot be read")


def test_a_server_that_has_forgotten_the_session_is_no_mystery(page, context, film):
    page.goto("/")
    context.clear_cookies()
    page.set_input_files("#films", film)
    expect(page.locator(".outcome.failed")).to_contain_text("chest.dcm")
    expect(page.locator(".outcome.failed")).to_contain_text("form_expired")


def test_a_film_can_be_dropped(page, film):
    page.goto("/")
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.dcm"));
            return transfer;
        }""",
        list(film.read_bytes()),
    )
    page.dispatch_event(".drop", "dragover", {"dataTransfer": transfer})
    expect(page.locator("form.dragging")).to_be_visible()
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    expect(page.locator("form.dragging")).to_have_count(0)
    expect(page.get_by_role("link", name="dropped.dcm")).to_be_visible()


def test_another_browser_session_gets_nothing(page, browser, address, film):
    open_result(page, film)
    expect(page).to_have_url(re.compile("/studies/"))
    stranger = browser.new_context()
    for path in ("", "/film.png", "/mask.png"):
        assert stranger.request.get(page.url + path).status == 404
        assert page.request.get(page.url + path).status == 200
    stranger.close()


def test_deleting_now_takes_the_film_off_the_list(page, film):
    open_result(page, film)
    place = page.url
    page.get_by_role("button", name="Delete now").click()
    expect(page.locator(".empty")).to_be_visible()
    assert page.goto(place).status == 404


def test_an_expired_result_does_not_stay_on_the_screen(page, film):
    page.clock.install()
    upload(page, film)
    expect(page.locator("time")).to_have_text("60 min")
    page.clock.fast_forward("15:00")
    expect(page.locator("time")).to_have_text("45 min")
    page.clock.fast_forward("46:00")
    expect(page.locator("#film-list li")).to_have_count(0)


def test_it_works_without_scripts(browser, address, film):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.set_input_files("#films", film)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pneumothorax suspected")
    expect(page.locator(".overlay")).to_be_visible()
    expect(page.locator(".controls")).to_have_count(2)
    expect(page.locator(".controls >> visible=true")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_pages_are_accessible_and_fit(page, film, size, tmp_path, complaints):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    letter = tmp_path / "letter.txt"
    letter.write_text("no film")
    page.goto("/")
    assert_accessible(page)
    upload(page, film)
    assert complaints == []
    upload(page, letter)
    assert_accessible(page)
    page.get_by_role("link", name="chest.dcm").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/nowhere")
    assert_accessible(page)
