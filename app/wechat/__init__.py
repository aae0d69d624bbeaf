"""All that speaks WeChat: client, log-in, notices, subscriptions, callbacks and replay."""

__all__: list[str] = []  # import its modules
