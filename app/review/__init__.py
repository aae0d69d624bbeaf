"""Review: what auditors query, and access to one person's record with a reason."""

__all__: list[str] = []  # import its modules
