"""What the documents on faults and security call a test is one."""

import ast
import re

import pytest

from app.config import ROOT

NAMED = re.compile(r"`((?:tests/[\w/]+\.py)?::\w+)`")


def named_tests(page: str) -> list[tuple[str, str]]:
    """Files and functions that a page names; `::name` is in the file named before it."""
    named, file = [], ""
    for reference in NAMED.findall((ROOT / "docs" / page).read_text()):
        path, name = reference.split("::")
        file = path or file
        named.append((file, name))
    return named


@pytest.mark.parametrize("page", ["reliability.md", "security.md"])
def test_every_test_that_is_named_is_there(page):
    named = named_tests(page)
    assert len(named) > 15
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"


def test_pages_link_to_what_is_there():
    for page in sorted((ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
