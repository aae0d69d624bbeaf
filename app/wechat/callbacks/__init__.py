"""WeChat's message push: what arrives is opened, read as one event, and answered."""

__all__: list[str] = []  # import its modules
