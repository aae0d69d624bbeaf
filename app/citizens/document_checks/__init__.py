"""Document checks: a station asks for the color of whoever an identity document belongs to.

`identities` finds a person by a keyed hash of document and name, `checks` answers, `ceilings` bounds how often one
inspector may ask, and `trail` keeps for the person alone who asked.
"""

__all__: list[str] = []  # import its modules
