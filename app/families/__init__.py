"""Families by consent: who may show whose code, invitations to it, guardians of children, and its end."""

__all__: list[str] = []  # import its modules
