"""How many films one address may send: Flask-Limiter, which counts in this process or in Redis."""

from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

LIMITED = ("pages.create", "api.predict", "explanations.activations", "explanations.occlusion", "feedback.save")
"""Views that take a film, or the processor for as long as one."""


def init_app(app: Flask) -> None:
    """Limit an application whose views are registered. Where Redis is gone, each process counts for itself."""
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
