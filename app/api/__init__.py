"""The JSON API: routes and their answers, who may call what, and the fast path."""

__all__: list[str] = []  # import its modules
