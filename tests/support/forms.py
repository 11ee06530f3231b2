"""What a browser without scripts sends."""

import io
import re


def token(client, **options) -> str:
    """What a form on the first page carries against forgery."""
    return token_in(client.get("/", **options).text)


def token_in(page: str) -> str:
    """The same, out of any page."""
    return re.search(r'name="csrf[-_]token" (?:content|value)="([^"]+)"', page)[1]


def upload(client, *films: tuple[bytes, str], script: bool = False, **options):
    """Send films by the form; with `script`, as the page's own script does."""
    data = {"films": [(io.BytesIO(content), name) for content, name in films], "csrf_token": token(client, **options)}
    headers = {"X-Requested-With": "XMLHttpRequest"} if script else {}
    if options:
        headers["Referer"] = options["base_url"] + "/"
    return client.post("/studies", data=data, headers=headers, **options)
