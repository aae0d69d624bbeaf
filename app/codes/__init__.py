"""Health codes: the color ledger, the color cache, tokens, the rendered code, claims and policy simulation."""

__all__: list[str] = []  # import its modules
