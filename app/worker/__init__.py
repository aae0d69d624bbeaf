"""The worker: the tasks of the queue and what runs by the clock."""

__all__: list[str] = []  # import its modules
