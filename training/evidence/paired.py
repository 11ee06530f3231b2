"""Figures of several sets of answers to the same films, and their differences, with intervals."""

from collections.abc import Callable

import pandas as pd

from training.measuring.metrics import bootstrap_intervals


def paired_figures(
    tables: dict[str, pd.DataFrame], statistic: Callable[[pd.DataFrame], dict[str, float]], resamples: int = 1000
) -> pd.DataFrame:
    """Compute figures, and what each differs by from the first table's, with 95 % intervals.

    All tables are drawn from alike: a resample takes the same patients, and so the same films, from each. What makes
    films hard or easy then falls out of the differences, whose intervals are narrower than those of two figures apart.

    Args:
        tables: Answers by name, row i of each to the same film, with the columns patient_id, label and what
            `statistic` needs. Differences are to the first.
        statistic: Gives figures by name.
        resamples: Number of draws.

    Returns:
        One row a table and figure: name, figure, value, low, high, difference, difference_low, difference_high.
    """
    tables = {name: table.reset_index(drop=True) for name, table in tables.items()}
    reference = next(iter(tables))

    def compare(resample: pd.DataFrame) -> dict[str, float]:
        figures = {name: statistic(table.iloc[resample.index]) for name, table in tables.items()}
        first = figures[reference]
        values = {f"{name} {figure}": value for name, own in figures.items() for figure, value in own.items()}
        differences = {
            f"{name} {figure} difference": value - first[figure]
            for name, own in figures.items()
            for figure, value in own.items()
        }
        return values | differences

    values = compare(tables[reference])
    intervals = bootstrap_intervals(tables[reference], compare, resamples=resamples)
    names = statistic(tables[reference])
    rows = []
    for name in tables:
        for figure in names:
            key, difference = f"{name} {figure}", f"{name} {figure} difference"
            (low, high), (difference_low, difference_high) = intervals[key], intervals[difference]
            rows.append(
                {"name": name, "figure": figure, "value": values[key], "low": low, "high": high}
                | {"difference": values[difference]}
                | {"difference_low": difference_low, "difference_high": difference_high}
            )
    return pd.DataFrame(rows)
