"""The page in a browser: every phone, with forms that do what `/sandbox/` does."""
