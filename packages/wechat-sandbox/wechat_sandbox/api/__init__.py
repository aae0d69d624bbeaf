"""WeChat's server API: its paths, answers and error codes."""
