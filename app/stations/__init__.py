"""Check stations: inspectors, scans and temperatures."""

__all__: list[str] = []  # import its modules
