"""`jixiang wechat …`: captures, replay, the poster, subscriptions and callbacks."""
