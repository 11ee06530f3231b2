"""The pages to read, on every screen: about the model, about the API."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import SIZES, assert_accessible, open_result


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/model", "/api"])
def test_pages_to_read_are_accessible_and_fit(page, size, path, complaints):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(path)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_every_result_leads_to_its_model(page, film):
    open_result(page, film)
    page.get_by_role("link", name="What it is for, how good it is, its limits").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("About the model")
