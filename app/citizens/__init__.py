"""Accounts, identity documents and health declarations."""
