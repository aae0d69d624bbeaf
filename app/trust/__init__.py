"""The trust list: whose codes of other provinces are shown here as the statements of their issuers."""

__all__: list[str] = []  # import its modules
