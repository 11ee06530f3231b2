"""What a test needs of the machine: without it a test is skipped, but where everything must pass it fails."""

import os
import shutil
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Skip the test; fail it where `CI` is set, so that a skipped test is never taken for a passed one."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def command(name: str, package: str) -> str:
    """Return the path of a command that a Debian package brings."""
    return shutil.which(name) or lacking(f"no {name} on this machine (Debian: apt install {package})")
