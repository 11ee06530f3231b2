"""Limits that a site writes down before it looks, and whether a model meets them."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from training.acceptance.figures import NEEDS, OF_ALL, are_too_few
from training.data.tables import did_you_mean, some
from training.errors import TrainingDataError

BOUNDS = ("at_least", "at_most")
STOP_RULE = {"films": 100, "deviations": 3.0}
"""When operation should stop, unless a site says otherwise: over so many films, so many standard errors."""


MOST = 1e9
"""What no number in such a file reaches."""
FEWEST = 30
"""Films below which operation compares nothing: a rule over fewer would never stop."""


class OnceEach(yaml.SafeLoader):
    """Reads YAML, and refuses a key that stands there twice: the last one would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Read one mapping."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.YAMLError(f"{twice[0]!r} stands twice in line {node.start_mark.line + 1} and below")
        return super().construct_mapping(node, deep)


class Verdict(IntEnum):
    """What follows of limits; the number is the command's exit status (1 and 2 are errors)."""

    MET = 0
    NOT_MET = 3
    TOO_FEW = 4

    @property
    def words(self) -> str:
        """As people say it."""
        return {Verdict.MET: "met", Verdict.NOT_MET: "not met", Verdict.TOO_FEW: "too few to say"}[self]


@dataclass(frozen=True)
class Limit:
    """One demand: a figure of a group of films, at least or at most so large."""

    group: str
    figure: str
    bound: str
    value: float

    def __str__(self) -> str:
        """Say it as people do."""
        return f"{self.figure} of {self.group} {self.bound.replace('_', ' ')} {self.value:g}"

    def judge(self, figures: pd.DataFrame) -> Verdict:
        """Compare with what was measured.

        It is met where the whole interval is on the good side, not met where the whole is on the other, and there are
        too few films to say where the limit lies in the interval, or the films are fewer than any interval needs.
        """
        own = figures[(figures["group"] == self.group) & (figures["figure"] == self.figure)]
        if own.empty or are_too_few(own.iloc[0]) or np.isnan(own.iloc[0]["low"]):
            return Verdict.TOO_FEW
        low, high = own.iloc[0][["low", "high"]]
        if self.bound == "at_least":
            good, bad = low >= self.value, high < self.value
        else:
            good, bad = high <= self.value, low > self.value
        return Verdict.MET if good else Verdict.NOT_MET if bad else Verdict.TOO_FEW


def read_limits(path: Path) -> tuple[list[Limit], dict[str, float]]:
    """Read limits and the rule by which operation is to stop.

    The file holds `limits`, by group of films ("all", "view AP", "sex F" …) and figure; and, if a site likes, `stop`
    with films and deviations:

        limits:
          all:
            sensitivity: {at_least: 0.75}
            alerts_per_100: {at_most: 25}
        stop: {films: 100, deviations: 3}

    Raises:
        TrainingDataError: If it is no such file; the message names what is wrong.
    """
    try:
        said = yaml.load(path.read_text("utf-8-sig"), OnceEach)
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise TrainingDataError(f"{path} is no YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(said, dict) or not isinstance(said.get("limits"), dict) or set(said) - {"limits", "stop"}:
        raise TrainingDataError(f'{path} needs "limits", by group of films and figure, and may have "stop".')
    limits = []
    for group, figures in said["limits"].items():
        if not isinstance(figures, dict):
            raise TrainingDataError(
                f'{path}: under {group!r} stand figures, such as "sensitivity: {{at_least: 0.75}}".'
            )
        for figure, bounds in figures.items():
            limits += _limits_of(path, str(group), str(figure), bounds)
    if not limits:
        raise TrainingDataError(f"{path} sets no limit.")
    return limits, _stop_rule(path, said.get("stop") or {})


def judge(limits: list[Limit], figures: pd.DataFrame) -> tuple[Verdict, list[tuple[Limit, Verdict]]]:
    """Judge every limit; the whole is not met where one is not, and met where all are."""
    judged = [(limit, limit.judge(figures)) for limit in limits]
    found = {verdict for _, verdict in judged}
    worst = next((verdict for verdict in (Verdict.NOT_MET, Verdict.TOO_FEW) if verdict in found), Verdict.MET)
    return worst, judged


def demand_known_groups(path: Path, limits: list[Limit], figures: pd.DataFrame) -> None:
    """Refuse limits for groups that there are no films of: a slip of the pen would never be judged.

    Raises:
        TrainingDataError: If there is such a limit.
    """
    known = sorted(set(figures["group"]) | {OF_ALL})
    strange = [limit.group for limit in limits if limit.group not in known]
    if strange:
        raise TrainingDataError(
            f"{path} sets a limit for {strange[0]!r}{did_you_mean(strange[0], known)}, of which there are no films; "
            f"there are {', '.join(known)}."
        )


def _limits_of(path: Path, group: str, figure: str, bounds: object) -> list[Limit]:
    if figure not in NEEDS:
        raise TrainingDataError(
            f"{path} sets a limit for the figure {figure!r}{did_you_mean(figure, list(NEEDS))}; figures are "
            f"{', '.join(NEEDS)}."
        )
    usable = isinstance(bounds, dict) and bounds and not set(bounds) - set(BOUNDS)
    if not isinstance(bounds, dict) or not usable or not all(map(_is_number, bounds.values())):
        raise TrainingDataError(f"{path}: {figure} of {group} needs at_least or at_most and a number, not {bounds!r}.")
    most = 100 if figure.endswith("_per_100") else 1
    if beyond := [value for value in bounds.values() if not 0 <= value <= most]:
        raise TrainingDataError(f"{path}: {figure} of {group} lies between 0 and {most}, not at {beyond[0]:g}.")
    return [Limit(group, figure, bound, float(value)) for bound, value in bounds.items()]


def _stop_rule(path: Path, said: object) -> dict[str, float]:
    if (
        not isinstance(said, dict)
        or set(said) - set(STOP_RULE)
        or not all(_is_number(value) and value > 0 for value in said.values())
    ):
        raise TrainingDataError(f"{path}: stop needs {some(list(STOP_RULE))}, numbers above 0, not {said!r}.")
    films = said.get("films", FEWEST)
    if films < FEWEST or films != int(films):
        raise TrainingDataError(f"{path}: stop looks at {FEWEST} films at least, a whole number, not at {films:g}.")
    return {**STOP_RULE, **{name: float(value) for name, value in said.items()}}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST
