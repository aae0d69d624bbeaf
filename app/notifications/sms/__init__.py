"""Text messages as a channel of notices: to which numbers, within which ceilings, and what became of them."""

__all__: list[str] = []  # import its modules
