"""Headers that nobody can read are answered as if they were empty, and what is refused has every header of ours."""

import pytest

from app.web.security import HEADERS
from tests.support.forms import token_in

PROGRAM = {"API": "token", "API_TOKEN": "x" * 32}
WATCHED = {"MONITORING_TOKEN": "x" * 32}


@pytest.fixture
def ask(make_app):
    """Send a request with one header, as a server takes it in; return the answer."""
    applications: dict = {}

    def ask(path: str, name: str, value: str, scheme: str = "http", **settings):
        known = applications.get(str(settings))
        app = known or make_app(SECRET_KEY="x" * 32, PROPAGATE_EXCEPTIONS=False, TESTING=False, **settings)
        applications[str(settings)] = app
        method = "POST" if path in ("/studies", "/api/v1/predictions") else "GET"
        environ = {f"HTTP_{name.upper()}": value, "wsgi.url_scheme": scheme}
        answer = app.test_client().open(path, method=method, environ_overrides=environ)
        assert HEADERS.items() <= dict(answer.headers).items()
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Request-Id"]
        return answer

    return ask


def test_a_referrer_that_is_no_address_leads_to_the_list(ask):
    for referrer in ("http://[", "https://[v1.]/", "https://localhost:99999999/", "\xff"):
        for scheme in ("http", "https"):
            refused = ask("/studies", "referer", referrer, scheme)
            assert refused.status_code == 400 and 'href="/"' in refused.text


def test_a_referrer_that_is_no_address_is_not_this_server_s(make_app):
    """Over HTTPS a form's token is not enough."""
    client = make_app(SECRET_KEY="x" * 32, PRODUCTION=True, PROPAGATE_EXCEPTIONS=False, TESTING=False).test_client()
    secure = {"base_url": "https://localhost"}
    token = token_in(client.get("/", **secure).text)
    for referrer, status in (("https://localhost/", 303), ("https://localhost:99999999/", 400), ("https://[", 400)):
        form = {"csrf_token": token, "language": "de"}
        answer = client.post("/language", data=form, headers={"Referer": referrer}, **secure)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/studies", "/api/v1/predictions"])
def test_an_origin_that_is_no_address_is_another_site_s(ask, path):
    for origin in ("http://[", "https://[::1", "http://localhost:99999999", "\xff", "", "localhost"):
        assert ask(path, "origin", origin, API="open").status_code == 403


def test_an_authorization_that_nobody_can_read_is_none(ask):
    for sent in ("Basic \xff", "Basic =", "Bearer \xff", "Bearer", "\xff", "Digest a*=x''%ff"):
        for path in ("/metrics", "/monitoring"):
            assert ask(path, "authorization", sent, **PROGRAM).status_code == 404
            assert ask(path, "authorization", sent, **WATCHED).status_code == 401
        assert ask("/api/v1/predictions", "authorization", sent, **PROGRAM).json["code"] == "unauthorized"


def test_a_host_that_is_no_name_is_not_this_server_s(ask):
    for host in (".", "a..b", f"{'a' * 64}.example", f"{'a' * 64}:8000", "[", "[::1", "\xff", "a b", ""):
        assert 'class="reason">unknown_host' in ask("/", "host", host, API="open").text
        assert ask("/api/v1/predictions", "host", host, API="open").json["code"] == "unknown_host"
        assert ask("/healthz", "host", host, API="open").status_code == 200


def test_a_page_about_an_error_stays_out_of_caches_wherever_it_is(ask):
    for path in ("/static/nope", "/static/", "/static/../nope"):
        assert ask(path, "accept", "*/*").status_code == 404


def test_what_is_static_may_be_cached(client):
    assert "no-store" not in client.get("/static/pleura.css").headers["Cache-Control"]
