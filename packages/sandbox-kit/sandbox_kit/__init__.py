"""What every sandbox of a partner has: a memory, a switch, control by JSON, a page with its guards, a server.

Knows nothing of any partner: what a partner answers, signs or refuses is in its sandbox alone. Never logs, since what
passes a sandbox is about people.
"""

__all__: list[str] = []
