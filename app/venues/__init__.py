"""Venues: organizations with check stations of their own, managed by a citizen whom a district has approved."""

__all__: list[str] = []  # import its modules
