"""What outlives a film for whoever watches the operation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of observations."""
    op.create_table(
        "observations",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("hour", sa.String, nullable=False, index=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("model_sha256", "finding")),
        *(sa.Column(name, sa.Double, nullable=True) for name in ("score", "distance")),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("withheld_for", "codes", "view", "machine", "verdict")
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("observations")
