"""How many films may come: of one address by Flask-Limiter, which counts in this process or in Redis; and at once."""

from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

from app.analysis.turns import BusyError
from app.web.services import services
from app.web.session import client

LIMITED = ("pages.create", "api.predict", "explanations.activations", "explanations.occlusion", "feedback.save")
"""Views that take a film, or the processor for as long as one."""
UPLOADS = ("pages.create", "api.predict")
"""Views that take a film."""


def init_app(app: Flask) -> None:
    """Limit an application whose views are registered. Where Redis is gone, each process counts for itself."""
    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_early)
    if not app.config["RATE_LIMIT"]:
        return
    limiter = Limiter(
        lambda: request.remote_addr or "",
        app=app,
        storage_uri=app.config["RATE_STORAGE"],
        in_memory_fallback=[app.config["RATE_LIMIT"]],
        in_memory_fallback_enabled=True,
    )
    limit = limiter.shared_limit(app.config["RATE_LIMIT"], scope="films")
    for endpoint in LIMITED:
        limited: Any = limit(app.view_functions[endpoint])
        app.view_functions[endpoint] = limited


def _refuse_early() -> None:
    """Refuse a film that would find no place before its form is taken apart, which is what costs time.

    It is received all the same: a client that is still sending would see a broken connection, and no reason.

    Raises:
        BusyError: If there is no place.
    """
    if request.endpoint not in UPLOADS:
        return
    try:
        services().analysis.reading.check(client())
    except BusyError:
        request.max_content_length = None
        while request.stream.read(2**16):
            pass
        raise
