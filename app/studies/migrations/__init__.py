"""Steps from one version of the tables to the next, for Alembic; `app.studies.schema` runs them."""
