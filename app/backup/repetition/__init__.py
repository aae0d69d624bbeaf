"""Repeating after a restore what took something away: data from us, or an access from somebody."""

__all__: list[str] = []  # import its modules
