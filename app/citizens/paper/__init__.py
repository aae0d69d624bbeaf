"""Cards on paper for their holders: who gets one, and the page that is printed."""

__all__: list[str] = []  # import its modules
