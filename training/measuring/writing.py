"""Figures as people read them, and as programs do."""

import json
from pathlib import Path

import pandas as pd
from defusedcsv import csv


def with_interval(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """Write a figure as people read it: "0.912 (0.860 to 0.953)"; a difference with its sign."""
    form = "+.3f" if signed else ".3f"
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write a table that people open: what looks like a formula stands behind an apostrophe, fractions are cut.

    Names of files that are not UTF-8 stand there with their bytes written out, as in the table of an archive.
    """
    with out.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(map(_cell, row) for row in table.itertuples(index=False))


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4f}"
    return value


def publish(figures: dict, out: Path | None) -> None:
    """Print figures as JSON and, if there is a file for them, write them there."""
    print(json.dumps(figures, indent=2))
    if out is not None:
        write_json(figures, out)


def write_json(figures: dict, out: Path) -> None:
    """Write figures for programs."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n")
