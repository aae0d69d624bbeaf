"""What a batch change reads under its lock, and what it decides, as rows. For `batch_change` and `ledger` alone."""

__all__: list[str] = []  # import its modules
