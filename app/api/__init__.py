"""The JSON API: routes and their answers, who may call what, and the fast path."""
