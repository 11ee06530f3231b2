"""The operator's commands on the database that the settings name.

python -m app.studies token add "ward 3"        prints a new token of the API, once
python -m app.studies token list
python -m app.studies token revoke "ward 3"
python -m app.studies audit > audit.csv
python -m app.studies migrate                   what every start does by itself
"""

import argparse
import sys
from datetime import UTC, datetime

from defusedcsv import csv
from sqlalchemy import Engine

from app.config import ROOT, read_settings
from app.segmentation.errors import PleuraError
from app.studies.audit import COLUMNS, AuditTrail
from app.studies.database import default_url, failures_named, open_database, opening_named
from app.studies.schema import VERSION, migrate
from app.studies.tokens import Tokens


def main() -> None:
    """Do what the operator asks."""
    parser = argparse.ArgumentParser(prog="python -m app.studies", description="The operator's commands.")
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("audit", help="write the audit trail as CSV")
    parts.add_parser("migrate", help="bring the tables to this program's version")
    deeds = parts.add_parser("token", help="tokens of the API").add_subparsers(dest="deed", required=True)
    for deed in ("add", "revoke"):
        deeds.add_parser(deed).add_argument("name")
    deeds.add_parser("list")
    arguments = parser.parse_args()
    try:
        with opening_named():
            engine = open_database(read_settings()["DATABASE_URL"] or default_url(ROOT / "instance"))
            migrate(engine)
        with failures_named():
            _DEEDS[arguments.part](engine, arguments)
    except (PleuraError, ValueError) as error:
        parser.exit(1, f"{error}\n")


def _write_audit(engine: Engine, arguments: argparse.Namespace) -> None:
    table = csv.writer(sys.stdout)
    table.writerow(COLUMNS)
    table.writerows(AuditTrail(engine).rows())


def _change_tokens(engine: Engine, arguments: argparse.Namespace) -> None:
    tokens = Tokens(engine)
    if arguments.deed == "add":
        print(tokens.add(arguments.name))
    elif arguments.deed == "revoke" and not tokens.revoke(arguments.name):
        raise ValueError(f"There is no token {arguments.name!r} that counts.")
    elif arguments.deed == "list":
        for token in tokens.all():
            made = datetime.fromtimestamp(token.created_at, UTC).date()
            print(f"{token.name}\t{made}\t{'revoked' if token.revoked_at else 'counts'}")


_DEEDS = {
    "audit": _write_audit,
    "token": _change_tokens,
    "migrate": lambda engine, arguments: print(f"The tables are of version {VERSION}."),
}

if __name__ == "__main__":
    main()
