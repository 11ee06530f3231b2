"""What every answer of the application owes its reader: headers, signed cookies, forms that cannot be forged.

And who is not answered at all: requests under a name that is not the server's, and those of other sites' scripts.
"""

import ipaddress
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadRequest, Forbidden, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

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

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PROBES = ("health.alive", "health.ready")
"""Asked by orchestrators under whatever address a container has; they tell nothing of a film."""


class UnknownHostError(BadRequest):
    """The request names a host that is not this server: its name may have been rebound to this address."""


class CrossSiteError(Forbidden):
    """Another web site's page sent the request."""


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
    if app.config["PROXIES"]:
        proxied = ProxyFix(app.wsgi_app, x_for=app.config["PROXIES"], x_proto=0)  # gunicorn sees to the scheme
        app.wsgi_app = proxied  # type: ignore[method-assign]  # as Flask's own documentation has it
    hosts = {name.strip().lower() for name in app.config["HOSTS"].split(",")} - {""}
    certified = app.config["PRODUCTION"] and not hosts
    app.before_request(lambda: _refuse_strangers(hosts | set(LOOPBACK), certified))
    app.after_request(_add_headers)
    if app.config["PRODUCTION"]:
        app.after_request(_demand_https)
    return CSRFProtect(app)


def _refuse_strangers(known_hosts: set[str], is_certified: bool) -> None:
    """Refuse a request under a name that is not ours, and one that another site's script sends.

    Args:
        known_hosts: Names and addresses that are ours.
        is_certified: Whether any address of numbers counts, too, which no name server can rebind; and over HTTPS any
            name, which the certificate has then bound the browser to.
    """
    if not request.path.isprintable():  # no address of ours holds a control character, and no database takes a NUL
        raise NotFound()
    name = _name(f"//{request.host}")
    is_known = name in known_hosts or is_certified and name is not None and (request.is_secure or _is_number(name))
    if not is_known and request.endpoint not in PROBES:
        raise UnknownHostError()
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin is None:  # programs send none; a browser does, and those before 2020 sent a referrer
        foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
    else:
        foreign = origin.lower().partition("://")[2] != request.host.lower()
    if foreign:
        raise CrossSiteError()


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # brackets that hold no IPv6 address
        return None


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"  # films, findings and what a form needs stay out of every cache
    return response


def _demand_https(response: Response) -> Response:
    response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
    return response
