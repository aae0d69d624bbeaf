"""Signing: what the second officer sees of an entry or a list before they approve or sign it, and that they saw it."""

__all__: list[str] = []  # import its modules
