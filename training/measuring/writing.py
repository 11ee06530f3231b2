"""Figures as people read them, and as programs do."""

import json
from pathlib import Path


def with_interval(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """Write a figure as people read it: "0.912 (0.860 to 0.953)"; a difference with its sign."""
    form = "+.3f" if signed else ".3f"
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def publish(figures: dict, out: Path | None) -> None:
    """Print figures as JSON and, if there is a file for them, write them there."""
    print(json.dumps(figures, indent=2))
    if out is not None:
        write_json(figures, out)


def write_json(figures: dict, out: Path) -> None:
    """Write figures for programs."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n")
