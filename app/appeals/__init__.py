"""Appeals of citizens against a decision, and how officers resolve them."""

__all__: list[str] = []  # import its modules
