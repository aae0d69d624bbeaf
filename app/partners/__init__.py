"""Partners of the province: programs of others that ask about a code which a person shows them, each with a secret."""

__all__: list[str] = []  # import its modules
