"""Which language a page speaks: the one its reader chose, or else the one that the browser asks for.

The API speaks English, whoever asks.
"""

from flask import Blueprint, Flask, Response, current_app, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from app.analysis.language import LANGUAGES, SOURCE, day, language, number, script_words, speak, tr, tr_core, tr_n

COOKIE = "pleura-language"
ONE_YEAR = 365 * 24 * 3600

blueprint = Blueprint("languages", __name__)


def init_app(app: Flask) -> None:
    """Let every request speak its reader's language, those too that are refused before a view is asked."""
    app.before_request_funcs.setdefault(None, []).insert(0, _choose)
    app.after_request(_say_which)
    app.teardown_request(lambda _error: speak(SOURCE))
    app.jinja_env.globals.update(tr=_tr, tr_n=tr_n, tr_core=tr_core, day=day, number=number)
    app.jinja_env.globals.update(language=language, languages=LANGUAGES, script_words=script_words)


@blueprint.post("/language")
def choose() -> BaseResponse:
    """Remember the language that a reader chose, and go back to the page."""
    back = request.form.get("back", "")
    # Browsers take tabs and line ends out of an address before they look for its host.
    is_ours = back.startswith("/") and back.isprintable() and not back.startswith(("//", "/\\"))
    answer = redirect(back if is_ours else url_for("pages.index"), 303)
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        answer.set_cookie(COOKIE, chosen, ONE_YEAR, secure=secure, httponly=True, samesite="Lax")
    return answer


def _tr(text: str, /, **values: object) -> str:
    """Say a text in a template: values that are markup stay so, and everything else is escaped."""
    if any(hasattr(value, "__html__") for value in values.values()):
        return Markup.escape(tr(text)).format(**values)
    return tr(text, **values)


def _choose() -> None:
    if f"{request.path}/".startswith("/api/"):
        speak(SOURCE)
        return
    chosen = request.cookies.get(COOKIE, "")
    speak(chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES), SOURCE))


def _say_which(response: Response) -> Response:
    if response.mimetype in ("text/html", "application/pdf", "application/problem+json"):
        response.headers["Content-Language"] = language()
        response.vary.update(("Accept-Language", "Cookie"))
    return response
