"""The color cache: fixed-size records in Redis, and loading them from the database."""

__all__: list[str] = []  # import its modules
