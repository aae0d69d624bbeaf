"""Commands for the trust list of issuers: make and sign one, on any machine; verify one; take one into use here."""

__all__: list[str] = []  # import its modules
