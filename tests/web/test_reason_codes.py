"""docs/reason-codes.md and openapi.json name the codes that the code gives, all of them and no others."""

import json
import re

import pytest

from app.config import ROOT
from app.segmentation.decision.doubts import DOUBTS
from app.web import api
from app.web.problems import HTTP_PROBLEMS, NO_FILE, PROBLEMS, Problem

PAGE = (ROOT / "docs" / "reason-codes.md").read_text()
PROBLEM = re.compile(r'(?:\bProblem\(\s*\d+,\s*|^    code = )"(\w+)"', re.MULTILINE)
SCRIPTED_FAILURE = re.compile(r'\bfailure\([^;]*,\s*"(\w+)"\)')


def rows(heading: str) -> dict[str, list[str]]:
    """Cells of a section's table, by the code in its first column."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len({row[0] for row in cells}) == len(cells)
    return {row[0].strip("`"): row[1:] for row in cells}


def found_in(pattern: re.Pattern, *globs: str) -> set[str]:
    sources = [path.read_text() for glob in globs for path in ROOT.glob(glob)]
    return {code for source in sources for code in pattern.findall(source)}


def test_every_doubt_is_in_the_table_and_no_other():
    assert set(rows("Doubts")) == set(DOUBTS)


@pytest.mark.parametrize("code", DOUBTS)
def test_table_says_of_a_doubt_what_the_answer_says(code):
    severity, *told, advice = rows("Doubts")[code]
    assert (severity, advice) == DOUBTS[code]
    assert len(told) == 3 and all(told)


def test_every_refusal_is_in_the_table_and_no_other():
    codes = found_in(PROBLEM, "app/**/*.py") | found_in(SCRIPTED_FAILURE, "static/**/*.js")
    assert set(rows("Refusals")) == codes


def test_refusals_are_found_where_they_are_written():
    """The test above holds for nothing if the patterns find nothing."""
    tables = [*PROBLEMS.values(), *(problem for problem, _ in HTTP_PROBLEMS.values()), NO_FILE[0]]
    problems = [*tables, *(value for value in vars(api).values() if isinstance(value, Problem))]
    assert {problem.code for problem in problems} <= found_in(PROBLEM, "app/**/*.py")
    assert {"no_answer", "stopped"} <= found_in(SCRIPTED_FAILURE, "static/**/*.js")


def test_openapi_lists_every_doubt():
    described = json.loads((ROOT / "app" / "web" / "openapi.json").read_text())["components"]["schemas"]["Doubt"]
    assert described["properties"]["code"]["enum"] == list(DOUBTS)
