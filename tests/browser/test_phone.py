"""A phone, upright and held sideways."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import assert_accessible

UPRIGHT, SIDEWAYS = (390, 844), (844, 390)
FOR_HANDS = re.compile(r"\b(drop|folder|keys?)\b", re.IGNORECASE)


@pytest.fixture
def phone(browser, address) -> Iterator[Callable[[tuple[int, int]], Page]]:
    """Open a page on a phone."""
    contexts = []

    def hold(size: tuple[int, int]) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        contexts.append(browser.new_context(base_url=address, viewport=viewport, has_touch=True, is_mobile=True))
        contexts[-1].set_default_timeout(20_000)
        return contexts[-1].new_page()

    yield hold
    for context in contexts:
        context.close()


def send(page: Page, film) -> None:
    page.goto("/")
    page.set_input_files("#films", film)
    expect(page.locator("#viewer.drawn")).to_be_visible(timeout=30_000)  # it opens by itself


def top(page: Page, selector: str) -> float:
    return page.locator(selector).first.bounding_box()["y"]


@pytest.mark.parametrize("size", [UPRIGHT, SIDEWAYS])
def test_nothing_is_said_of_mouse_and_keyboard(phone, film, size):
    page = phone(size)
    page.goto("/")
    assert not FOR_HANDS.search(page.locator("body").inner_text())
    send(page, film)
    assert not FOR_HANDS.search(page.locator("body").inner_text())
    page.get_by_role("link", name="All films").click()
    expect(page.locator(".outcome")).to_have_count(1)
    assert not FOR_HANDS.search(page.locator("body").inner_text())


def test_finding_then_film_then_tools_with_names(phone, film):
    page = phone(UPRIGHT)
    send(page, film)
    assert top(page, "h1") < top(page, ".chance") < top(page, ".stage") < top(page, ".toolbar")
    assert top(page, ".stage") < 400
    for tool in page.locator(".toolbar .tool >> visible=true").all():
        name = tool.locator(".tool-name")
        expect(name).to_be_visible()
        assert name.inner_text().strip()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)


def test_held_sideways_the_film_is_in_sight_beside_its_finding(phone, film):
    page = phone(SIDEWAYS)
    send(page, film)
    stage = page.locator(".stage").bounding_box()
    assert stage["height"] >= 300
    assert stage["y"] + stage["height"] <= SIDEWAYS[1]
    expect(page.locator("h1")).to_be_in_viewport()
    expect(page.locator(".chance")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)
