"""Cards on paper: which card of a code lives, and how often a card was scanned on a day; never where."""

__all__: list[str] = []  # import its modules
