"""Privacy: the erasure of a person on request, across every package that stores data about them."""

__all__: list[str] = []  # import its modules
