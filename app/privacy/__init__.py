"""Privacy: erasing a person who asks for it, across every package that keeps something of them."""

__all__: list[str] = []  # import its modules
