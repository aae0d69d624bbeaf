"""Entries: records of health officers about people, which a second officer approves before they take effect."""

__all__: list[str] = []  # import its modules
