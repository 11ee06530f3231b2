"""A PostgreSQL for all tests of a process."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import postgres


@pytest.fixture(scope="session")
def url(tmp_path_factory) -> Iterator[str]:
    """Its address, as SQLAlchemy has it."""
    with postgres(tmp_path_factory.mktemp("postgres")) as (_, url):
        yield url
