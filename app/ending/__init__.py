"""The end of the service: announcing it, ending it by steps that go on after an interruption, and the signed report."""

__all__: list[str] = []  # import its modules
