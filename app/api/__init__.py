"""The JSON API: routes and their responses, authorization, and the fast path."""

__all__: list[str] = []  # import its modules
