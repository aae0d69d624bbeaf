"""The color ledger, the color cache, tokens, the rendered code and the menu."""

__all__: list[str] = []  # import its modules
