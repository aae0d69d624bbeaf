"""`jixiang wechat …`: captures, replay, the poster, subscriptions and callbacks."""

__all__: list[str] = []  # import its modules
