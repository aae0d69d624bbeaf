"""The national government service platform: its client, and the messages of its interface."""

__all__: list[str] = []  # import its modules
