"""Who is in the pictures of docs/screens, and what they do before one is taken."""
