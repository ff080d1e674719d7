"""One file per step, each in the form that Alembic asks for."""
