"""Does the operation go on as the acceptance report found it? Control limits (Shewhart), and when to stop."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config import SettingError
from app.segmentation.decision.calibration import Finding
from app.studies.observations import Observation

FEWEST = 30
"""Films below which nothing is said."""
SHARES = ("alert_share", "withheld_share")
WITHIN, OUTSIDE, TOO_FEW, UNKNOWN = "within", "outside", "too few to say", "not in the report"
GO_ON, STOP = "go on", "stop"


@dataclass(frozen=True)
class Baseline:
    """What an acceptance report says of a model at this site.

    Attributes:
        sha256: The model's.
        films: How many were measured.
        figures: By name: alert_share, withheld_share; probability_mean and _sd, distance_mean and _sd, None if unknown.
        stop_films: The stop rule looks at so many of the latest films …
        stop_deviations: … and stops where a figure lies so many standard errors off.
    """

    sha256: str
    films: int
    figures: Mapping[str, float | None]
    stop_films: int
    stop_deviations: float


@dataclass(frozen=True)
class Comparison:
    """A figure of the latest films beside the report's.

    Attributes:
        name: What it is.
        expected: The report's; None where it has none.
        low: Below here it is outside.
        high: Above here it is, too.
        found: Of the films; None without any.
        state: `WITHIN`, `OUTSIDE`, `TOO_FEW` or `UNKNOWN`.
    """

    name: str
    expected: float | None
    low: float | None
    high: float | None
    found: float | None
    state: str


def read_baseline(path: Path) -> Baseline:
    """Read `acceptance.json` of `python -m training accept`.

    Raises:
        SettingError: If it is none.
    """
    try:
        said: dict[str, Any] = json.loads(path.read_text())
        operation, stop = said["operation"], said["stop"]
        figures = {name: None if value is None else float(value) for name, value in operation.items()}
        films, stop_films, deviations = int(figures.pop("films") or 0), int(stop["films"]), float(stop["deviations"])
        if not all(0 <= (figures.get(name) or 0) <= 1 for name in SHARES):
            raise ValueError("a share lies beyond 0 and 1")
        if stop_films < FEWEST or not deviations > 0:
            raise ValueError(f"it stops by {FEWEST} films at least and by deviations above 0")
        return Baseline(str(said["sha256"]), films, figures, stop_films, deviations)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise SettingError(
            f"PLEURA_ACCEPTANCE names {path}, which is no acceptance.json of `python -m training accept`: {error}."
        ) from error


def compare(baseline: Baseline, seen: Sequence[Observation]) -> list[Comparison]:
    """Compare films with the report: shares as in a p-chart, means as in an x-chart.

    The report is a sample itself, so its own error widens the limits.

    Args:
        baseline: The report.
        seen: Answers, in any order.
    """
    shares: dict[str, Callable[[Observation], bool]] = {
        "alert_share": lambda film: film.finding == Finding.POSITIVE,
        "withheld_share": lambda film: bool(film.withheld_for),
    }
    means: dict[str, Callable[[Observation], float | None]] = {
        "probability": lambda film: film.score,
        "distance": lambda film: film.distance,
    }
    compared = []
    for name, holds in shares.items():
        expected = baseline.figures.get(name)
        spread = None if expected is None else math.sqrt(expected * (1 - expected))
        compared.append(_compared(name, baseline, expected, spread, [float(holds(film)) for film in seen]))
    for name, value in means.items():
        expected, spread = baseline.figures.get(f"{name}_mean"), baseline.figures.get(f"{name}_sd")
        values = [figure for film in seen if (figure := value(film)) is not None]
        compared.append(_compared(f"mean {name}", baseline, expected, spread, values))
    return compared


def decide(baseline: Baseline, latest: Sequence[Observation]) -> str:
    """Follow the site's stop rule: `STOP`, `GO_ON`, or `TOO_FEW`."""
    if len(latest) < baseline.stop_films:
        return TOO_FEW
    return STOP if any(one.state == OUTSIDE for one in compare(baseline, latest[: baseline.stop_films])) else GO_ON


def _compared(
    name: str, baseline: Baseline, expected: float | None, spread: float | None, values: Sequence[float]
) -> Comparison:
    found = sum(values) / len(values) if values else None
    if expected is None or spread is None:
        return Comparison(name, None, None, None, found, UNKNOWN)
    if found is None or len(values) < FEWEST:
        return Comparison(name, expected, None, None, found, TOO_FEW)
    # A share that the report never saw is still not impossible: one film of the report's is what it cannot rule out.
    spread = max(spread, math.sqrt(1 / max(baseline.films, 1))) if name.endswith("_share") else spread
    margin = baseline.stop_deviations * spread * math.sqrt(1 / len(values) + 1 / max(baseline.films, 1))
    low, high = expected - margin, expected + margin
    return Comparison(name, expected, low, high, found, WITHIN if low <= found <= high else OUTSIDE)
