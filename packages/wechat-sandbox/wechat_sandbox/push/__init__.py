"""WeChat's callbacks: the events, how they are signed and encrypted, and how they reach a server."""
