"""Service windows: clerks act there for people who are present, with the document in hand. Import the modules."""

__all__: list[str] = []
