"""WeChat's message push: decryption, events, receipts, captures and replay."""

__all__: list[str] = []  # import its modules
