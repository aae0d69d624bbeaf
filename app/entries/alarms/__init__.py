"""Alarms: when an auditor must see what officers record, because it has too many people."""

__all__: list[str] = []  # import its modules
