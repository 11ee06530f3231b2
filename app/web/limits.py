"""How many films may come: of one address by Flask-Limiter, which counts in this process or in Redis; and at once."""

from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits.errors import ConfigurationError

from app.config import SettingError
from app.web.services import services
from app.web.session import client

LIMITED = ("pages.create", "api.predict", "explanations.activations", "explanations.occlusion", "feedback.save")
"""Views that take a film, or the processor for as long as one."""
KEY = "pleura_limit"
"""Of what counts a film, in `Flask.extensions`."""
UPLOADS = ("pages.create", "api.predict")
"""Views that take a film."""


def init_app(app: Flask) -> None:
    """Limit an application whose views are registered. Where Redis is gone, each process counts for itself.

    Raises:
        SettingError: If `PLEURA_RATE_STORAGE` names nothing that can count.
    """
    if not app.config["RATE_LIMIT"]:
        return
    try:
        limiter = Limiter(
            lambda: request.remote_addr or "",
            app=app,
            storage_uri=app.config["RATE_STORAGE"],
            in_memory_fallback_enabled=True,  # by the same limits; limits of its own would count every page
        )
    except (ConfigurationError, ValueError) as error:
        raise SettingError("PLEURA_RATE_STORAGE must be memory:// or an address like redis://HOST:PORT.") from error
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


def refuse_early() -> None:
    """Refuse a film that would find no place, before anything of it is received.

    Raises:
        BusyError: If there is no place.
    """
    if request.endpoint in UPLOADS:
        services().analysis.reading.check(client())


def _pass() -> None:
    """Do nothing: to be counted is enough."""
