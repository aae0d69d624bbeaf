"""The official account: its API, and who follows it."""

__all__: list[str] = []  # import its modules
