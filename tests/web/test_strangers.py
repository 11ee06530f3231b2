"""Who is not answered: requests under a foreign name, from other sites' pages, in too great a number."""

import errno
import io
from functools import partial

import pytest

from app.web.services import services
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom

FILM = to_png(draw_phantom(1, 256).image)
NO_DEED = {"languages.choose", "pages.keep_longer", "explanations.activations", "explanations.occlusion"}
"""Views that take a form and are left out of the audit trail: they tell no more of a film than was seen already."""


@pytest.fixture
def make(make_app):
    """Make a client of an application with settings of its own."""
    make_open = partial(make_app, API="open", WTF_CSRF_ENABLED=False)
    return lambda **settings: make_open(**settings).test_client()


def send(client, address: str = "/api/v1/predictions", **options):
    field = "file" if address.startswith("/api") else "films"
    return client.post(address, data={field: (io.BytesIO(FILM), "film.png")}, **options)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]", "["])
def test_a_rebound_name_is_refused(make, host):
    assert make().get("/", headers={"Host": host}).status_code == 400


def test_orchestrators_ask_under_any_name(make):
    assert make().get("/healthz", headers={"Host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_loopback_s_names_count(make, host):
    assert make().get("/", headers={"Host": host}).status_code == 200


def test_named_hosts_count_and_no_others(make):
    client = make(HOSTS="pleura.example.org, other.example", SECRET_KEY="x" * 32)
    for host, status in (("pleura.example.org", 200), ("Other.example:443", 200), ("third.example", 400)):
        assert client.get("/", headers={"Host": host}).status_code == status
    answer = client.get("/api/v1/openapi.json", headers={"Host": "third.example"})
    assert answer.json["code"] == "unknown_host"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("https://pleura.example.org", 200),
        ("https://[", 400),
        ("http://10.0.0.7:8000", 200),
        ("http://[fd00::7]:8000", 200),
        ("http://localhost:8000", 200),
        ("http://evil.example", 400),
        ("http://10.0.0.7.evil.example", 400),
        ("http://0x0a000007", 400),
    ],
)
def test_production_without_hosts_takes_names_that_a_certificate_or_nobody_can_bind(make, address, status):
    scheme, _, host = address.partition("://")
    client = make(PRODUCTION=True, SECRET_KEY="x" * 32)
    answer = client.get("/", headers={"Host": host}, environ_overrides={"wsgi.url_scheme": scheme})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_sites_scripts_are_refused(make, headers, status):
    answer = send(make(), headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.json["code"] == "cross_site"


def test_other_sites_may_link_here(make):
    assert make().get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_an_address_sends_so_many_films_and_no_more(make):
    client = make(RATE_LIMIT="2/hour")
    assert [send(client).status_code for _ in range(3)] == [200, 200, 429]
    refused = send(client, "/studies")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert send(client).json["code"] == "rate_limited"
    assert client.get("/").status_code == 200
    assert send(client, environ_base={"REMOTE_ADDR": "10.0.0.2"}).status_code == 200


def test_each_film_of_a_form_counts(make):
    client = make(RATE_LIMIT="2/hour")
    answer = client.post("/studies", data={"films": [(io.BytesIO(FILM), f"{name}.png") for name in "abcd"]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert answer.text.count('<code class="reason">rate_limited</code>') == 2
    assert len(services(client.application).studies.list_of(session_of(client))) == 2
    assert send(client, "/studies").status_code == 429


def session_of(client) -> str:
    with client.session_transaction() as session:
        return session["owner"]


@pytest.mark.parametrize(
    ("settings", "address", "status"),
    [
        ({"API": "token", "API_TOKEN": "x" * 32}, "/api/v1/predictions", 401),
        ({"RATE_LIMIT": "0/hour"}, "/api/v1/predictions", 429),
        ({"RATE_LIMIT": "0/hour"}, "/studies", 429),
        ({"WTF_CSRF_ENABLED": True}, "/studies", 400),
        ({"MAX_CONTENT_LENGTH": 90_000}, "/api/v1/predictions", 413),
        ({}, "/api/v1/nothing", 404),
    ],
)
def test_what_is_refused_is_received_so_that_its_sender_sees_why(make, settings, address, status):
    body = io.BytesIO(bytes(100_000))
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100000"}
    answer = make(**settings).post(address, input_stream=body, headers=headers)
    assert answer.status_code == status
    assert body.tell() >= 90_000


def test_examples_count_as_films_and_pages_do_not(make):
    application = make(RATE_LIMIT="2/hour").application
    statuses = [application.test_client().get("/?example=normal").status_code for _ in range(3)]
    assert statuses == [303, 303, 429]
    assert {application.test_client().get("/").status_code for _ in range(5)} == {200}


def test_a_proxy_s_word_counts_only_where_there_is_one(make):
    for proxies, statuses in ((0, [200, 429]), (1, [200, 200])):
        client = make(RATE_LIMIT="1/hour", PROXIES=proxies)
        assert [send(client, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(2)] == statuses


def test_without_redis_each_process_counts_for_itself(make):
    client = make(RATE_LIMIT="1/hour", RATE_STORAGE="redis://127.0.0.1:1")
    assert [send(client).status_code for _ in range(2)] == [200, 429]
    assert {client.get("/").status_code for _ in range(3)} == {200}


@pytest.mark.parametrize("path", ["/studies/%00", "/studies/a%0d%0ab", "/studies/%1b%5b2J/film.png", "/%00"])
def test_control_characters_are_in_no_address(make, path):
    assert make().get(path).status_code == 404


def test_a_token_may_be_revoked(make):
    client = make(API="token", API_TOKEN="x" * 32)
    tokens = services(client.application).studies.tokens
    headers = {"Authorization": f"Bearer {tokens.add('ward 3')}"}
    assert send(client, headers=headers).status_code == 200
    assert send(client, headers={"Authorization": f"Bearer {'x' * 32}"}).status_code == 200
    tokens.revoke("ward 3")
    assert send(client, headers=headers).status_code == 401
    deeds = [row[1:] for row in services(client.application).studies.audit.rows()]
    assert deeds == [("token ward 3", "asked", "", ""), ("token of the settings", "asked", "", "")]


def test_deeds_are_written_down_without_a_name(make):
    client = make()
    place = send(client, "/studies").location
    study_id = place.rsplit("/", 1)[1]
    exports = f"{place}/exports/answer.json?deidentify=1", "/worklist.csv"
    for address in (place, *exports, "/studies/nowhere"):
        client.get(address)
    client.post(f"{place}/correct/nothing")
    client.post(f"{place}/delete")
    rows = [row[1:] for row in services(client.application).studies.audit.rows()]
    assert {row[0] for row in rows} == {rows[0][0]}
    assert rows[0][0].startswith("session ")
    assert [row[1:] for row in rows] == [
        ("uploaded", study_id, ""),
        ("saw", study_id, ""),
        ("exported", study_id, "answer.json without identity"),
        ("exported", "", "worklist.csv"),
        ("corrected", study_id, ""),
        ("deleted", study_id, ""),
    ]


def test_every_deed_has_its_view(make):
    from app.web.audit import DEEDS
    from app.web.limits import LIMITED

    application = make().application
    views = application.view_functions.keys()
    assert set(DEEDS) <= views
    assert set(LIMITED) <= views
    posted = {rule.endpoint for rule in application.url_map.iter_rules() if "POST" in rule.methods}
    assert posted - set(DEEDS) == NO_DEED


@pytest.mark.parametrize("sent", ["", "0123456789abcdef", "a\tb", "x" * 99])
def test_requests_have_ids(make, sent):
    told = make().get("/healthz", headers={"X-Request-Id": sent} if sent else {}).headers["X-Request-Id"]
    assert (told == sent) == (sent == "0123456789abcdef")
    assert len(told) == 16


@pytest.mark.parametrize("address", ["/studies", "/api/v1/predictions"])
def test_a_full_disk_for_films_on_their_way_in(make, monkeypatch, address):
    client = make()
    monkeypatch.setattr("app.web.bodies.IN_MEMORY_BYTES", 1)

    def fail(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", fail)
    assert send(client, address).status_code == 507
