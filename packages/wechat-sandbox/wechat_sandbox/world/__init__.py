"""WeChat itself: its state behind one lock, access tokens, rate limits and ordered failures."""
