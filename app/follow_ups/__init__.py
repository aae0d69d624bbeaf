"""Following up people with a red or orange code: who takes them over until when, and what a check of theirs alerts."""

__all__: list[str] = []  # import its modules
