"""Backups: a dump of the database with its manifest, and putting one back under a new generation."""

__all__: list[str] = []
