"""Messages by the official account, and who follows it."""

__all__: list[str] = []  # import its modules
