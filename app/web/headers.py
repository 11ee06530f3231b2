"""Headers that nobody can read: they count as empty, for the parsers of Python, Werkzeug and Flask-WTF raise on them.

They would do so on the page that tells of an error, too, and then gunicorn answers, without any header of ours.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Authorization

READERS: dict[str, Callable[[str], object]] = {
    "HTTP_AUTHORIZATION": Authorization.from_header,
    "HTTP_HOST": lambda host: host.partition(":")[0].encode("idna"),
    "HTTP_REFERER": lambda address: urlsplit(address).port,
}
"""By WSGI's name of a header: what reads it, and raises ValueError where it cannot."""


def empty_unreadable(environ: dict[str, Any]) -> None:
    """Empty those headers of a request that cannot be read. An empty `Host` is nobody's name, and refused."""
    for name, read in READERS.items():
        try:
            read(environ.get(name, ""))
        except ValueError:
            environ[name] = ""
