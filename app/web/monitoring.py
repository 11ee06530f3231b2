"""The operator's view: does the model go on at this site as its acceptance report found it?

Off unless `PLEURA_MONITORING_TOKEN` is set; asked for by a browser (Basic: any name, the token as password) or a
program (Bearer). Films are observed all the same: figures without identity, for whoever switches it on later.
"""

import hmac
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from app.analysis.analysis import AnalysedFilm
from app.analysis.control import FEWEST, Baseline, compare, decide, read_baseline
from app.segmentation.errors import PleuraError
from app.studies.database import StorageFullError, StorageUnavailableError
from app.studies.observations import REFUSED, Observation, hour_of
from app.studies.study import Study
from app.web.metrics import Metrics, count_requests
from app.web.services import services

KEY = "pleura monitoring"
DAYS = 28
"""That the page shows, one line each."""

blueprint = Blueprint("monitoring", __name__)


@dataclass(frozen=True)
class Monitoring:
    """What the page compares with, and what is counted."""

    metrics: Metrics
    baseline: Baseline | None


def init_app(app: Flask) -> None:
    """Begin to count.

    Raises:
        SettingError: If `PLEURA_ACCEPTANCE` names no acceptance report.
    """
    report = app.config["ACCEPTANCE"]
    opened = Monitoring(Metrics(), read_baseline(Path(report)) if report else None)
    app.extensions[KEY] = opened
    for turns in (services(app).analysis.reading, services(app).analysis.turns):
        turns.notice = opened.metrics.queue.inc
    count_requests(app, opened.metrics)


def monitoring() -> Monitoring:
    """Return the present application's."""
    return current_app.extensions[KEY]


def observe(analysed: AnalysedFilm) -> None:
    """Note an answer: what is kept of it has no identity."""
    radiograph, distance = analysed.radiograph, analysed.prediction.distance
    machine = radiograph.header.text("ManufacturerModelName")
    services().studies.observations.answered(analysed.answer, distance, radiograph.view_position, machine)
    monitoring().metrics.answered(analysed.answer, distance)


def observe_refusal(error: PleuraError) -> None:
    """Note that a film got no answer, and why."""
    code = error.code
    monitoring().metrics.refusals.labels(code).inc()
    if not isinstance(error, StorageFullError | StorageUnavailableError):  # it could not be written, either
        services().studies.observations.refused(services().predictor.sha256, code)


def observe_verdict(study: Study, verdict: str | None) -> None:
    """Note what a reader says of an answer, or takes back."""
    if study.example is None and (study.verdict or "") != (verdict or ""):
        services().studies.observations.judged(study.created_at, study.answer, study.verdict or "", verdict or "")
        if verdict:
            monitoring().metrics.verdicts.labels(str(study.answer.finding), verdict).inc()


@blueprint.get("/monitoring")
def page() -> str:
    """Show figures of the latest films beside the report's, day by day, and what the stop rule says."""
    _demand_token()
    kept, sha256, baseline = services().studies.observations, services().predictor.sha256, monitoring().baseline
    known = baseline is not None and baseline.sha256 == sha256
    latest = kept.latest(sha256, baseline.stop_films if baseline else FEWEST)
    days: dict[str, list[Observation]] = defaultdict(list)
    refusals: Counter[str] = Counter()
    for film in kept.since(hour_of(time.time() - 86400 * DAYS)):
        if film.finding == REFUSED:
            refusals[film.codes] += 1
        elif film.model_sha256 == sha256:
            days[film.hour[:10]].append(film)
    answered = [film for films in days.values() for film in films]
    return render_template(
        "monitoring.html",
        baseline=baseline,
        is_of_this_model=known,
        model=services().predictor.metadata.name,
        sha256=sha256,
        count=len(latest),
        compared=compare(baseline, latest) if baseline and known else [],
        decision=decide(baseline, latest) if baseline and known else None,
        days={day: (len(films), compare(baseline, films) if baseline and known else []) for day, films in days.items()},
        shown_days=DAYS,
        refusals=refusals.most_common(),
        verdicts=Counter((film.finding, film.verdict) for film in answered if film.verdict).most_common(),
        views=Counter(film.view or "unknown" for film in answered).most_common(),
        machines=Counter(film.machine or "unknown" for film in answered).most_common(),
    )


@blueprint.get("/metrics")
def counters() -> Response:
    """Send what is counted, of all workers."""
    _demand_token()
    return Response(monitoring().metrics.text(), content_type=CONTENT_TYPE_LATEST)


def _demand_token() -> None:
    token = current_app.config["MONITORING_TOKEN"]
    if not token:
        raise NotFound()
    sent = request.authorization
    given = (sent.token if sent.type == "bearer" else sent.password) if sent else None
    if not hmac.compare_digest((given or "").encode(), token.encode()):
        answer = Response("The operator's token is needed.\n", 401, mimetype="text/plain")
        answer.headers["WWW-Authenticate"] = 'Basic realm="Pleura monitoring", charset="UTF-8"'
        abort(answer)
