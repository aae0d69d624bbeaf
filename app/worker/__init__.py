"""The worker: queued tasks, periodic tasks, and the process that runs them."""

__all__: list[str] = []  # import its modules
