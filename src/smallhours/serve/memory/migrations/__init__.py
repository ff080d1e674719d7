"""Alembic's migrations. They run when a database is first opened by a newer version."""
