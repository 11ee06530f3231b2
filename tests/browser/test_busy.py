"""A server that has no place left is asked again, where everybody can see it."""

from playwright.sync_api import expect


def test_page_waits_and_tries_again(page, film):
    refusals = []
    limited = """<article class="outcome failed"><h1>Too many films were sent in a short time</h1>
        <p class="detail">Wait.</p><code class="reason">rate_limited</code></article>"""

    def refuse_twice(route) -> None:
        if route.request.method != "POST" or len(refusals) == 2:
            return route.continue_()
        refusals.append(route.request.url)
        route.fulfill(
            status=503,
            headers={"Retry-After": "1"},
            content_type="text/html",
            body=limited if refusals[1:] else "<p>Busy</p>",
        )

    page.route("**/studies", refuse_twice)
    page.goto("/")
    page.set_input_files("#films", film)
    expect(page.locator("#waiting-list .state")).to_contain_text("The server is busy, trying again in")
    expect(page.locator("#waiting-list .state")).to_contain_text("Too many films were sent in a short time, trying")
    expect(page.locator("#film-list .outcome")).to_have_count(1)
    expect(page.locator(".outcome.failed")).to_have_count(0)
    assert len(refusals) == 2
