"""`jixiang evidence …`: entries one by one, and lists."""

__all__: list[str] = []  # import its modules
