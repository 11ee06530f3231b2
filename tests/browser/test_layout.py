"""What stands where: the film fills the window, its facts scroll beside it, and no tip covers a sign."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import assert_accessible, open_result

LEAST_FILM = {(1440, 900): 800, (2560, 1440): 1300}


def height_of_film(page: Page) -> float:
    return page.locator(".viewer .film").bounding_box()["height"]


@pytest.mark.parametrize("size", LEAST_FILM)
def test_the_film_fills_the_window_whatever_the_tools_say(page, film, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_result(page, film)
    height = height_of_film(page)
    assert height >= LEAST_FILM[size]
    for name in ("Probability", "Uncertainty", "Side by side", "Ruler"):
        page.get_by_role("radio", name=name).check()
        assert height_of_film(page) == height
    box = page.locator(".viewer .film").bounding_box()
    assert box["y"] + box["height"] <= size[1]


def test_facts_scroll_beside_the_film(page, film):
    page.set_viewport_size({"width": 1440, "height": 900})
    open_result(page, film)
    before = page.locator(".stage").bounding_box()
    page.locator(".facts .keeping").scroll_into_view_if_needed()
    expect(page.locator(".facts .keeping")).to_be_in_viewport()
    assert page.locator(".stage").bounding_box() == before
    assert page.evaluate("scrollY") == 0


def test_no_tip_lies_over_the_film(page, film):
    """There stand signs: whose film it is, its sides, that it is mirrored."""
    page.set_viewport_size({"width": 1440, "height": 900})
    open_result(page, film)
    box = page.locator(".viewer .film").bounding_box()
    for tool in page.locator(".toolbar .tool >> visible=true").all():
        tool.hover()
        left = tool.evaluate("element => parseFloat(getComputedStyle(element, '::after').left)")
        assert tool.bounding_box()["x"] + left >= box["x"] + box["width"]


def test_the_tab_names_film_and_finding(page, film):
    open_result(page, film)
    expect(page).to_have_title("chest.dcm: Pneumothorax suspected – Pleura")


def test_a_slow_film_and_a_slow_map_say_so(page, film):
    open_result(page, film)
    held = []
    page.route("**/film.png", lambda route: held.append(route))
    page.reload(wait_until="commit")
    expect(page.get_by_text("Loading the film …")).to_be_visible()
    expect(page.locator(".viewer img")).to_have_count(1)
    held.pop().continue_()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    expect(page.get_by_text("Loading the film …")).to_be_hidden()
    page.route("**/probability.png", lambda route: held.append(route))
    page.get_by_role("radio", name="Probability").check()
    expect(page.get_by_text("Loading the map …")).to_be_visible()
    held.pop().continue_()
    expect(page.get_by_text("Loading the map …")).to_be_hidden()


def test_a_film_that_does_not_come_is_no_black_picture(page, film):
    open_result(page, film)
    page.route("**/film.png", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("The film could not be loaded.")).to_be_visible()
    page.unroute("**/film.png")
    page.locator(".broken").get_by_role("link", name="Reload").click()
    expect(page.locator("#viewer.drawn")).to_be_visible()


def test_a_photograph_of_a_screen_is_called_one_above_the_film(page, phantom, tmp_path):
    tinted = np.round(255 * phantom.image[..., None] * (0.7, 0.9, 1.0)).astype(np.uint8)
    path = tmp_path / "photograph.png"
    path.write_bytes(cv2.imencode(".png", tinted)[1].tobytes())
    page.goto("/")
    page.set_input_files("#films", path)
    page.get_by_role("link", name="photograph.png").click()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    expect(page.locator(".finding")).to_contain_text("Looks like a photograph of a screen. Send the original film")
    assert_accessible(page)


def test_the_reason_for_an_empty_list_is_told(page, context, film):
    page.goto("/")
    expect(page.locator(".empty")).to_contain_text("None yet.")
    open_result(page, film)
    page.get_by_role("button", name="Delete now").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".empty")).to_contain_text("you deleted them, or their time was over")
    (cookie,) = context.cookies()
    context.add_cookies([{**cookie, "value": "of.a.server.before"}])
    page.goto("/")
    expect(page.locator(".empty")).to_contain_text("it was restarted, or the session ended")


def test_pages_are_dark_until_a_reader_chooses_light(page):
    page.emulate_media(color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    page.goto("/")
    assert page.evaluate(ground) == "rgb(10, 14, 18)"
    page.get_by_label("Light page", exact=True).check()
    assert page.evaluate(ground) == "rgb(244, 246, 248)"
    page.goto("/model")
    assert page.evaluate(ground) == "rgb(244, 246, 248)"
    page.get_by_label("Light page", exact=True).uncheck()
    page.goto("/")
    assert page.evaluate(ground) == "rgb(10, 14, 18)"
