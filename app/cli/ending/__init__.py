"""Commands for the end of the service."""

__all__: list[str] = []  # import its modules
