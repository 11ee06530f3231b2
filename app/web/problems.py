"""What went wrong, for a person and for a program: status, reason code, sentence.

Pages and API answer from this one table (RFC 9457 calls such an answer a problem document).
"""

import secrets
from dataclasses import dataclass, replace

from flask import Response, current_app, jsonify, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    BadRequest,
    Conflict,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
)

from app.analysis import turns
from app.analysis.language import mark, tr, tr_core
from app.segmentation import errors
from app.segmentation.reading import film_reader
from app.studies import database, masks
from app.studies import store as studies
from app.web import security


@dataclass(frozen=True)
class Problem:
    """One kind of failure.

    Attributes:
        status: HTTP status.
        code: Stable reason code, lower_snake_case.
        title: What is wrong, in a few words.
    """

    status: int
    code: str
    title: str


PROBLEMS: dict[type[errors.PleuraError], Problem] = {
    kind: Problem(status, kind.code, title)
    for kind, status, title in (
        (errors.InvalidImageError, 400, mark("This film cannot be used")),
        (errors.EmptyFileError, 400, mark("The file is empty")),
        (errors.TruncatedImageError, 400, mark("The file is damaged or incomplete")),
        (errors.NoPixelDataError, 400, mark("The DICOM file holds no image")),
        (errors.MultiFrameError, 400, mark("The file holds several images")),
        (errors.WrongModalityError, 400, mark("This is not a radiograph")),
        (errors.ImageTooSmallError, 400, mark("The image is too small")),
        (errors.UnsupportedFormatError, 415, mark("This kind of file cannot be read")),
        (errors.ImageTooLargeError, 413, mark("The image is too large")),
        (errors.FileTooLargeError, 413, mark("The file is too large")),
        (errors.TooManyPixelsError, 413, mark("The image has too many pixels")),
        (errors.CheckpointError, 503, mark("The model could not be loaded")),
        (masks.InvalidMaskError, 400, mark("The drawn mask cannot be used")),
        (film_reader.ReadingTimedOutError, 400, mark("Reading the file takes too long")),
        (film_reader.ReadingTooLargeError, 413, mark("Reading the file takes too much memory")),
        (film_reader.ReadingFailedError, 400, mark("Reading the file failed")),
        (film_reader.ReaderUnavailableError, 503, mark("No film can be read at present")),
        (turns.BusyError, 503, mark("The server is busy")),
        (database.StorageFullError, 507, mark("No room is left for films")),
        (database.StorageUnavailableError, 503, mark("Films cannot be kept at present")),
        (studies.TooManyStudiesError, 429, mark("Too many films are kept already")),
    )
}

HTTP_PROBLEMS: dict[type[HTTPException], tuple[Problem, str]] = {
    CSRFError: (
        Problem(400, "form_expired", mark("This page is out of date")),
        mark("The server was restarted, or your browser blocks cookies. Reload the page, and try again."),
    ),
    security.UnknownHostError: (
        Problem(400, "unknown_host", mark("The server does not know itself by this name")),
        mark("Use the address that the operator gave you. The operator names the server's hosts in PLEURA_HOSTS."),
    ),
    security.CrossSiteError: (
        Problem(403, "cross_site", mark("Another web site sent this request")),
        mark("Films are taken from this server's own pages and from programs, not from pages of other sites."),
    ),
    RateLimitExceeded: (
        Problem(429, "rate_limited", mark("Too many films were sent in a short time")),
        mark("This address has sent as many films as it may. Wait a while, and go on."),
    ),
    NotFound: (
        Problem(404, "not_found", mark("There is nothing here")),
        mark("The address is wrong, or its film was deleted, or it belongs to another browser session."),
    ),
    MethodNotAllowed: (
        Problem(405, "method_not_allowed", mark("This address does not work that way")),
        mark("The request's method is not one that this address takes."),
    ),
    RequestEntityTooLarge: (
        PROBLEMS[errors.FileTooLargeError],
        mark("The upload as a whole is too large. Send films of at most 100 MiB each, a few at a time."),
    ),
    RequestedRangeNotSatisfiable: (
        Problem(416, "requested_range_not_satisfiable", mark("The file has no such part")),
        mark("The part of the file that was asked for lies behind its end. Load the whole file."),
    ),
    BadRequest: (
        Problem(400, "bad_request", mark("The server does not understand this request")),
        mark("Something in it is missing or damaged. Reload the page, and try again."),
    ),
    Conflict: (
        Problem(409, "conflict", mark("This is not possible any more")),
        mark("The film or what was said of it has changed. Reload the page."),
    ),
    InternalServerError: (
        Problem(500, "internal_error", mark("Something went wrong on the server")),
        mark("The film was not analysed. Try again; if it happens twice, tell the operator."),
    ),
}
"""Failures of a request itself, with the sentence for a person."""

NAMELESS = (
    mark("The server does not answer this request"),
    mark("It is none that this server takes. Go back to the films."),
)
"""Title and sentence of any other failure of HTTP: no view of ours gives one."""

SPEAKING = (BadRequest, Conflict)
"""Failures that may bring a sentence of ours with them."""

LONGEST_MESSAGE = 500
"""Characters. A message quotes what was wrong, and a file may hold a value of a megabyte."""

NO_FILE = (
    Problem(400, "no_file", mark("No film was chosen")),
    mark("Choose one or more DICOM, PNG, JPEG or WebP files."),
)


def shorten(message: str, length: int) -> str:
    """Cut a message that quotes a file at length."""
    return message if len(message) <= length else f"{message[: length - 1]}…"


def headers_of(error: Exception) -> dict[str, str]:
    """Say what else of a failure belongs into an answer's header: when to come back, what is allowed."""
    if isinstance(error, turns.BusyError):
        return {"Retry-After": str(error.retry_seconds)}
    if isinstance(error, RateLimitExceeded):
        return {"Retry-After": str(error.limit.limit.get_expiry())}
    own = error.get_headers() if isinstance(error, HTTPException) else []
    return {name: value for name, value in own if name != "Content-Type"}


def problem_of(error: errors.PleuraError | HTTPException) -> tuple[Problem, str]:
    """Say what a failure means, and in which sentence; one that has no entry here has Werkzeug's name for a code."""
    if isinstance(error, errors.PleuraError):
        return said(PROBLEMS[type(error)], shorten(str(error), LONGEST_MESSAGE))
    kind = next((kind for kind in type(error).__mro__ if kind in HTTP_PROBLEMS), None)
    if kind is None:
        title, sentence = NAMELESS
        return said(Problem(error.code or 500, error.name.lower().replace(" ", "_"), title), sentence)
    problem, sentence = HTTP_PROBLEMS[kind]
    brought = vars(error).get("description") if kind in SPEAKING else None
    return said(problem, brought or sentence)


def problem_answer(problem: Problem, detail: str, **more: str) -> Response:
    """Make a problem document, RFC 9457.

    Args:
        problem: What kind of failure it is.
        detail: What was wrong this time, and what to do.
        more: Further members of the document.
    """
    answer = jsonify(
        type=f"urn:problem-type:pleura:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=detail,
        code=problem.code,
        **more,
    )
    answer.status_code = problem.status
    answer.mimetype = "application/problem+json"
    return answer


def failure_answer(error: errors.PleuraError | HTTPException, detail: str = "") -> Response:
    """Make the problem document of a failure.

    Args:
        error: The failure.
        detail: What to say in place of its own sentence.
    """
    problem, own = problem_of(error)
    answer = problem_answer(problem, detail or own)
    answer.headers.update(headers_of(error))
    return answer


def report_incident(error: Exception) -> Response:
    """Own up to a defect in a problem document; only the log says more."""
    incident = secrets.token_hex(4)
    current_app.logger.error("Incident %s: %s", incident, request.endpoint, exc_info=error)
    problem, detail = problem_of(InternalServerError())
    found = tr("The operator finds it in the log under incident {number}.", number=incident)
    return problem_answer(problem, f"{detail} {found}", incident=incident)


def said(problem: Problem, detail: str) -> tuple[Problem, str]:
    """Say a problem in the reader's language; its code stays."""
    return replace(problem, title=tr(problem.title)), tr_core(detail)
