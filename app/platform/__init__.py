"""The national government service platform: its client."""

__all__: list[str] = []  # import its modules
