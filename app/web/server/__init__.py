"""The web server: its processes, the event loop in each, Flask behind it, and what is refused under overload."""

__all__: list[str] = []  # import its modules
