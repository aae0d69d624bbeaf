"""Corrections of the document by which a citizen is known: by the national platform's word, or by two officers."""

__all__: list[str] = []
