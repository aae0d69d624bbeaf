"""All that speaks WeChat: client, log-in, notices, subscriptions, callbacks, replay and the sandbox."""
