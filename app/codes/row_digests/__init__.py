"""Digests of rows in their audit events, so that a row that somebody changed in the database is found."""

__all__: list[str] = []  # import its modules
