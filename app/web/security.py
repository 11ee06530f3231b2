"""What every answer of the application owes its reader: headers, signed cookies, forms that cannot be forged."""

import secrets

from flask import Flask, Response, request
from flask_wtf import CSRFProtect

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # flask-wtf checks the referrer of a form sent over HTTPS
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ONE_YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> CSRFProtect:
    """Protect an application whose settings are read.

    Without a secret of its own a process draws one: it then signs for itself alone, and until it ends.

    Returns:
        The guard of forms, for blueprints without cookies to be exempted from.
    """
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or secrets.token_hex()
    secure = app.config["PRODUCTION"] or app.config["SECURE_COOKIES"]
    app.config.update(
        SESSION_COOKIE_NAME="__Host-pleura" if secure else "pleura",  # the prefix binds it to host and HTTPS
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # a reading room leaves the page open all day; the session is the limit
    )
    app.after_request(_add_headers)
    if app.config["PRODUCTION"]:
        app.after_request(_demand_https)
    return CSRFProtect(app)


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"  # films and findings stay out of every cache
    return response


def _demand_https(response: Response) -> Response:
    response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
    return response
