"""The machines of check stations: gates, scanners, card readers, thermal cameras and buses, each in one lane."""

__all__: list[str] = []  # import its modules
