"""Statistics: hourly counts, and the figures that officers see, with small numbers suppressed."""

__all__: list[str] = []  # import its modules
