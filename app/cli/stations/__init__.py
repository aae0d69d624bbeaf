"""Commands about check stations and what is there."""

__all__: list[str] = []
