"""Shared by every package: clock, database, settings, keys, encryption, errors, texts, connections, queue."""

__all__: list[str] = []  # import its modules
