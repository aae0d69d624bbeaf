"""Chapters that play at a place: a service window, and a venue with its entrances."""
