"""The national government service platform: its client and its sandbox."""
