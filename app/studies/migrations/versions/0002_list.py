"""What the list shows of a film: its thumbnail, and whether its result was opened."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both; of films that are kept already neither is known."""
    op.add_column("studies", sa.Column("thumbnail_png", sa.LargeBinary))
    op.add_column("studies", sa.Column("seen_at", sa.Double))


def downgrade() -> None:
    """Drop both."""
    for name in ("seen_at", "thumbnail_png"):
        op.drop_column("studies", name)
