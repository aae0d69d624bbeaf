"""WeChat's message push: what arrives is opened, read as one event, and answered."""
