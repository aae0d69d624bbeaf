"""Entries: what health officers record by hand about people, approved by a second officer before it takes effect."""

__all__: list[str] = []  # import its modules
