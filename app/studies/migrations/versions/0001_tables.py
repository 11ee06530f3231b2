"""Films, deeds and tokens.

What a database holds from before there were migrations is films that are kept for minutes: it is given up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table, in place of those without a version."""
    if sa.inspect(op.get_bind()).has_table("studies"):
        op.drop_table("studies")
    op.create_table(
        "studies",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False, index=True),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False, index=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        *(sa.Column(f"{name}_png", sa.LargeBinary, nullable=False) for name in ("film", "probability", "disagreement")),
        sa.Column("patient_key", sa.String),
        sa.Column("taken_on", sa.String),
        sa.Column("dicom_header", sa.JSON),
        sa.Column("verdict", sa.String),
        sa.Column("corrected_png", sa.LargeBinary),
        sa.Column("training_id", sa.String),
        sa.Column("activations", sa.JSON),
        sa.Column("occlusion", sa.JSON),
        sa.Column("example", sa.String),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False, index=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("who", "deed", "study", "detail")),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("sha256", sa.String, nullable=False, unique=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
    )


def downgrade() -> None:
    """Drop them all."""
    for table in ("tokens", "audit", "studies"):
        op.drop_table(table)
