"""The commands that docs/operations.md tells an operator to use."""

import re

from app.config import ROOT


def documented(beginning: str) -> str:
    """Return the one command line that begins so.

    Raises:
        AssertionError: If there is none, or there are several.
    """
    page = (ROOT / "docs" / "operations.md").read_text()
    lines = re.findall(rf"^{re.escape(beginning)}.*$", page, re.MULTILINE)
    assert len(lines) == 1, f"docs/operations.md has {len(lines)} lines that begin with {beginning!r}"
    return lines[0]
