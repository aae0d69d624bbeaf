"""The gateway that sends text messages: signing, sending, and pulling what became of them."""

__all__: list[str] = []  # import its modules
