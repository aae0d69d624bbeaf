"""WeChat: the client of its server API, log-in, mini-program codes, callbacks and their replay."""

__all__: list[str] = []  # import its modules
