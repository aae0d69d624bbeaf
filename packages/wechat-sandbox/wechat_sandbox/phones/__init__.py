"""The people with phones: logging in, giving consent, giving a phone number, leaving."""
