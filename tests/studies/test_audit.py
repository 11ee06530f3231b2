"""The audit trail: rows are added, and nothing else."""

import csv
import os
import subprocess
import sys
import time

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from app.config import ROOT
from app.studies.audit import COLUMNS, AuditTrail, Entry
from app.studies.database import open_database
from app.studies.schema import migrate
from app.studies.tokens import Tokens


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'studies.sqlite'}"


@pytest.fixture
def engine(url):
    engine = open_database(url)
    migrate(engine)
    yield engine
    engine.dispose()


def operator(url: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "app.studies", *arguments]
    environment = os.environ | {"PLEURA_DATABASE_URL": url}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("statement", [update(Entry).values(who="nobody"), delete(Entry)], ids=["change", "delete"])
def test_the_database_itself_refuses_to_forget(engine, statement):
    trail = AuditTrail(engine)
    trail.note("session 1", "deleted", "one")
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(statement)
    assert trail.purge() == 0
    assert len(list(trail.rows())) == 1


def test_deeds_are_deleted_in_their_time(engine):
    AuditTrail(engine, days=1, clock=lambda: 0.0).note("session 1", "saw", "one")
    assert AuditTrail(engine, days=1).purge() == 1


def test_a_clock_that_is_ahead_of_the_database_s_hinders_nothing(engine):
    AuditTrail(engine, days=1).note("session 1", "saw", "one")
    ahead = AuditTrail(engine, days=1, clock=lambda: time.time() + 86400 + 7200)
    assert ahead.purge() == 0
    assert len(list(ahead.rows())) == 1


def test_a_deed_that_cannot_be_kept_is_in_the_log(engine, caplog):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
    AuditTrail(engine).note("session 1", "deleted", "one")
    assert "session 1 deleted one" in caplog.text


def test_operator_gets_it_as_csv(engine, url):
    trail = AuditTrail(engine, clock=lambda: 86400.0)
    trail.note("=1+1", "exported", "one", "report.pdf")
    done = operator(url, "audit")
    assert done.returncode == 0, done.stderr
    assert list(csv.reader(done.stdout.splitlines())) == [
        list(COLUMNS),
        ["1970-01-02T00:00:00.000+00:00", "'=1+1", "exported", "one", "report.pdf"],
    ]


def test_tokens_are_named_hashed_and_revocable(engine, url):
    done = operator(url, "token", "add", "ward 3")
    token, tokens = done.stdout.strip(), Tokens(engine)
    assert len(token) >= 43
    assert (tokens.owner_of(token), tokens.owner_of(token[:-1])) == ("ward 3", None)
    with engine.connect() as connection:
        assert token not in str(connection.exec_driver_sql("SELECT * FROM tokens").all())
    assert operator(url, "token", "add", "ward 3").returncode == 1
    assert operator(url, "token", "revoke", "ward 3").returncode == 0
    assert tokens.owner_of(token) is None
    refused = operator(url, "token", "revoke", "ward 3")
    assert (refused.returncode, refused.stderr) == (1, "There is no token 'ward 3' that counts.\n")
    assert operator(url, "token", "list").stdout.endswith("revoked\n")
