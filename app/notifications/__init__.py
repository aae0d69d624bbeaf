"""Notifications: change notices, subscriptions, and the effects of WeChat's callbacks on both."""

__all__: list[str] = []  # import its modules
