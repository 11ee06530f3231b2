"""The bodies of requests: films on their way in, and what is said where they do not arrive."""

import errno
import sys
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Flask, Request, Response, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException

from app.analysis.language import mark
from app.studies.database import StorageFullError
from app.web.headers import empty_unreadable

IN_MEMORY_BYTES = 500_000


def init_app(app: Flask) -> None:
    """Have an application read bodies so, those of refused requests too."""
    app.request_class = FilmRequest
    app.after_request(_receive_the_rest)


def _receive_the_rest(response: Response) -> Response:
    """Receive what is left of a refused request, as long as any may be: who is still sending would see no reason."""
    if response.status_code >= 400:
        request.max_content_length = sys.maxsize  # of what is too large, too
        left = current_app.config["MAX_CONTENT_LENGTH"]
        with suppress(HTTPException):  # of a body that ends early, or never
            while left > 0 and (part := request.stream.read(2**16)):
                left -= len(part)
    return response


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
            raise BadRequest(mark("The request's body is damaged or ends early. Send it again.")) from error


class FilmRequest(Request):
    """A request whose headers can be read, and whose files say what is wrong if they find no room or do not arrive."""

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        empty_unreadable(environ)
        super().__init__(environ, *args, **options)

    def _get_file_stream(self, *args: object, **kwargs: object) -> IO[bytes]:
        return Uploaded(max_size=IN_MEMORY_BYTES)
