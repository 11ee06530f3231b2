"""The log: no line can be forged by who sends a request, and each can be found by the request's id.

`PLEURA_LOG=json` writes one JSON object a line, of the access log too, for programs that gather logs.
"""

import json
import logging
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, request
from gunicorn.glogging import Logger

HEADER = "X-Request-Id"
SOUND_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

TEXT_FORMAT = "%(h)s %(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
JSON_FORMAT = (
    '{"time": "%(t)s", "logger": "access", "address": "%(h)s", "method": "%(m)s", "path": "%(U)s", "status": %(s)s, '
    '"bytes": %(B)s, "ms": %(M)s, "request_id": "%({x-request-id}o)s"}'
)
"""No query, no referrer: nothing of a film."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record: when, how grave, whence, what, in which request, and the trace of an exception."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


class AccessLog(Logger):
    """gunicorn's log. It would write a path as it was decoded, with line ends and a terminal's commands in it."""

    def setup(self, cfg) -> None:
        """Take the form of the lines from the configuration's, which `gunicorn.conf.py` chooses."""
        super().setup(cfg)
        if cfg.access_log_format == JSON_FORMAT:
            for handler in self.error_log.handlers:
                handler.setFormatter(JsonFormatter())
            for handler in self.access_log.handlers:
                handler.setFormatter(logging.Formatter("%(message)s"))

    def atoms(self, resp, req, environ, request_time) -> dict[str, object]:
        """Return what a line may hold; the path as it was sent, in printable ASCII."""
        atoms = super().atoms(resp, req, environ, request_time)
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace")
        return {**atoms, "U": quote(path), "t": datetime.now(UTC).isoformat(timespec="milliseconds")}


def init_app(app: Flask) -> None:
    """Give every request an id: the one that a proxy gave it, if it looks like one."""
    if app.config["LOG"] == "json" and not any(_is_json(handler) for handler in logging.getLogger().handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        logging.getLogger().addHandler(handler)

    @app.before_request
    def _name_request() -> None:
        sent = request.headers.get(HEADER, "")
        g.request_id = sent if SOUND_ID.fullmatch(sent) else secrets.token_hex(8)

    @app.after_request
    def _tell_id(response: Response) -> Response:
        response.headers[HEADER] = g.get("request_id", "-")
        return response


def _is_json(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, JsonFormatter)
