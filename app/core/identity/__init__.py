"""Which number, name or device is which: spellings of numbers and names, and devices known to an account."""

__all__: list[str] = []  # import its modules
