"""What every package shares: clock, database, settings, keys, encryption, errors, texts, connections, queue."""
