"""Visits: the code at an entrance that citizens scan, receipts that the venue scans, and alarms. No visit is stored."""

__all__: list[str] = []  # import its modules
