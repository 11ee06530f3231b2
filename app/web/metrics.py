"""Counters for whoever watches the operation, as Prometheus reads them.

No label carries a patient, a file's name or an id: labels are codes, findings, stages and names of views.
"""

import os
import time
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.studies.answer import Answer

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable by which gunicorn's workers share what they count; `gunicorn.conf.py` sets it."""
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
TENTHS = tuple(tenth / 10 for tenth in range(1, 11))
LIMITS = (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3)

disable_created_metrics()  # of each label, when it was first counted: nobody asks


class Metrics:
    """What is counted. One of each application; workers' counts are added up where they are read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: Any = {"registry": self.registry}
        self.requests = Counter("pleura_requests", "Requests answered", ["endpoint", "method", "status"], **own)
        self.request_seconds = Histogram(
            "pleura_request_seconds", "Time to answer", ["endpoint"], buckets=SECONDS, **own
        )
        self.stage_seconds = Histogram(
            "pleura_stage_seconds", "Time that a film's stage takes", ["stage"], buckets=SECONDS, **own
        )
        self.queue = Gauge("pleura_queue_films", "Films that wait", multiprocess_mode="livesum", **own)
        self.refusals = Counter("pleura_refusals", "Films without an answer", ["code"], **own)
        self.answers = Counter("pleura_answers", "Answers", ["finding"], **own)
        self.withheld = Counter("pleura_withheld", "Answers that are withheld", ["code"], **own)
        self.doubts = Counter("pleura_doubts", "Doubts about films", ["code"], **own)
        self.score = Histogram("pleura_score", "Calibrated probabilities", buckets=TENTHS, **own)
        self.distance = Histogram(
            "pleura_distance", "Distance from the training films, in limits", buckets=LIMITS, **own
        )
        self.verdicts = Counter("pleura_verdicts", "What readers say", ["finding", "verdict"], **own)

    def answered(self, answer: Answer, distance: float | None) -> None:
        """Count an answer."""
        self.answers.labels(str(answer.finding)).inc()
        if answer.withheld_for:
            self.withheld.labels(answer.withheld_for).inc()
        for doubt in answer.doubts:
            self.doubts.labels(doubt.code).inc()
        for stage, milliseconds in answer.timing_ms.items():
            self.stage_seconds.labels(stage).observe(milliseconds / 1000)
        self.score.observe(answer.probability)
        if distance is not None:
            self.distance.observe(distance)

    def text(self) -> bytes:
        """Write it all; of all workers, where several share a folder."""
        registry = self.registry
        if os.environ.get(FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)


def count_requests(app: Flask, metrics: Metrics) -> None:
    """Count an application's requests by view, method and status, and time them."""

    def begin() -> None:
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        method = request.method if request.method in METHODS else "other"
        metrics.requests.labels(endpoint, method, str(response.status_code)).inc()
        if "began" in g:
            metrics.request_seconds.labels(endpoint).observe(time.perf_counter() - g.began)
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(end)
