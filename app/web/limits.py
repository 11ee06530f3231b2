"""How many films may come: of one address by Flask-Limiter, which counts in this process or in Redis; and at once."""

import errno
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Flask, Request, current_app, request
from flask_limiter import Limiter
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest

from app.analysis.language import mark
from app.analysis.turns import BusyError
from app.studies.database import StorageFullError
from app.web.services import services
from app.web.session import client

LIMITED = ("pages.create", "api.predict", "explanations.activations", "explanations.occlusion", "feedback.save")
"""Views that take a film, or the processor for as long as one."""
KEY = "pleura_limit"
"""Of what counts a film, in `Flask.extensions`."""
IN_MEMORY_BYTES = 500_000
UPLOADS = ("pages.create", "api.predict")
"""Views that take a film."""


def init_app(app: Flask) -> None:
    """Limit an application whose views are registered. Where Redis is gone, each process counts for itself."""
    app.request_class = FilmRequest
    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_early)
    if not app.config["RATE_LIMIT"]:
        return
    limiter = Limiter(
        lambda: request.remote_addr or "",
        app=app,
        storage_uri=app.config["RATE_STORAGE"],
        in_memory_fallback_enabled=True,  # by the same limits; limits of its own would count every page
    )
    limit = limiter.shared_limit(app.config["RATE_LIMIT"], scope="films")
    counted: Any = limit(_pass)
    app.extensions[KEY] = counted
    for endpoint in LIMITED:
        limited: Any = limit(app.view_functions[endpoint])
        app.view_functions[endpoint] = limited


def count_film() -> None:
    """Count a film that comes by another view, as an example does.

    Raises:
        RateLimitExceeded: If this address has sent as many as it may.
    """
    current_app.extensions.get(KEY, _pass)()


def _pass() -> None:
    """Do nothing: to be counted is enough."""


def _refuse_early() -> None:
    """Refuse a film that would find no place before its form is taken apart, which is what costs time.

    Raises:
        BusyError: If there is no place.
    """
    if request.endpoint not in UPLOADS:
        return
    try:
        services().analysis.reading.check(client())
    except BusyError:
        request.max_content_length = None
        drain()
        raise


def drain() -> None:
    """Receive what is left of a refused request, as long as any may be: who is still sending would see no reason."""
    left = current_app.config["MAX_CONTENT_LENGTH"]
    while left > 0 and (part := request.stream.read(2**16)):
        left -= len(part)


class Uploaded(SpooledTemporaryFile):
    """A film on its way in; on the disk, from half a megabyte on."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take the next part.

        Raises:
            StorageFullError: If the disk for temporary files is full.
        """
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            message = mark("The server's disk for incoming films is full. Try again in a while.")
            raise StorageFullError(message) from error


class Body:
    """A request's body as the server reads it; what it cannot read is the client's fault, not ours."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all.

        Raises:
            BadRequest: If the body is no sound one: chunks without size, or the client has left.
        """
        try:
            return self._source.read() if size < 0 else self._source.read(size)
        except (ParseException, OSError) as error:
            raise BadRequest("The request's body is damaged or ends early. Send it again.") from error


class FilmRequest(Request):
    """A request whose files say what is wrong when there is no room for them, or they do not arrive."""

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        super().__init__(environ, *args, **options)

    def _get_file_stream(self, *args: object, **kwargs: object) -> IO[bytes]:
        return Uploaded(max_size=IN_MEMORY_BYTES)
