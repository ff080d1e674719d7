"""What people agreed to have remembered: encrypted rows in SQLite or PostgreSQL.

The only room that knows SQLAlchemy. Nothing of it is on the crisis path, and nothing here is loaded before
somebody agrees to be remembered.
"""
