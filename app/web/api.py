"""The JSON API: one film in, one answer out. It keeps nothing, and neither takes nor sets a cookie.

Every failure under `/api/` is a problem document (RFC 9457). `openapi.json`, beside this file, describes it all.
"""

import hmac
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, g, request, send_file
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from app.segmentation.errors import PleuraError
from app.segmentation.reading.radiograph import MAX_BYTES
from app.web import problems
from app.web.monitoring import observe, observe_refusal
from app.web.problems import Problem, failure_answer, problem_answer, report_incident
from app.web.services import services

FIELD = "file"
API_OFF = Problem(404, "api_off", "The API is switched off")
NO_FILE, _ = problems.NO_FILE
SEVERAL_FILES = Problem(400, "several_files", "Several files were sent")
UNAUTHORIZED = Problem(401, "unauthorized", "A valid token is needed")

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/predictions")
def predict() -> dict:
    """Answer one film."""
    _demand_token()
    analysed = services().analysis.analyse(_uploaded_film(), _caller())
    observe(analysed)
    return analysed.answer.to_json()


@blueprint.get("/openapi.json")
def describe() -> Response:
    """Send the description of this API."""
    return send_file(Path(__file__).with_name("openapi.json"), mimetype="application/json")


def _caller() -> str:
    return g.get("caller") or f"address {request.remote_addr}"


@blueprint.before_app_request
def _answer_for_the_whole_prefix() -> Response | None:
    """Refuse what no view of ours takes: such a request belongs to no blueprint, and would get a page."""
    if not f"{request.path}/".startswith("/api/") or request.endpoint == "about.api":
        return None  # the page that tells of the API is none of it
    if current_app.config["API"] == "off":
        return problem_answer(API_OFF, "Start the server with PLEURA_API=token, or open on a machine of your own.")
    astray = request.routing_exception
    return None if astray is None or isinstance(astray, RequestRedirect) else _refuse(astray)


@blueprint.errorhandler(PleuraError)
@blueprint.errorhandler(HTTPException)
def _refuse(error: PleuraError | HTTPException) -> Response:
    detail = ""
    if isinstance(error, PleuraError):
        observe_refusal(error)
    elif isinstance(error, NotFound):
        detail = f"There is nothing at {request.path}; see /api/v1/openapi.json."
    elif isinstance(error, RequestEntityTooLarge):
        detail = f"Send one film of at most {MAX_BYTES // 2**20} MiB and nothing else."
    return failure_answer(error, detail)


blueprint.register_error_handler(Exception, report_incident)


def _demand_token() -> None:
    if current_app.config["API"] != "token":
        return
    sent = request.authorization.token if request.authorization and request.authorization.type == "bearer" else None
    g.caller = _owner_of(sent) if sent else None
    if g.caller:
        return
    answer = problem_answer(
        UNAUTHORIZED, "Send the header 'Authorization: Bearer TOKEN', with the token that the operator gave out."
    )
    answer.headers["WWW-Authenticate"] = 'Bearer realm="Pleura"' + (', error="invalid_token"' if sent else "")
    abort(answer)


def _owner_of(token: str) -> str | None:
    """Name who has a token: the one of the settings, or one that the operator gave out by `python -m app.studies`."""
    if hmac.compare_digest(token.encode(), current_app.config["API_TOKEN"].encode()):
        return "token of the settings"
    name = services().studies.tokens.owner_of(token)
    return name and f"token {name}"


def _uploaded_film() -> bytes:
    """Take the one film out of the request."""
    request.max_form_memory_size = MAX_BYTES  # else a film sent as text would be refused for its size
    if FIELD not in request.files:
        abort(problem_answer(NO_FILE, f"Send one film as a file in the multipart/form-data field {FIELD!r}."))
    count = sum(len(files) for _, files in request.files.lists())
    if count > 1:
        abort(problem_answer(SEVERAL_FILES, f"The request holds {count} files; send one film in each request."))
    return request.files[FIELD].read()
