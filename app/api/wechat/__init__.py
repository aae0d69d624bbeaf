"""Endpoints for WeChat: log-in and subscriptions of the mini-program, and the callbacks that WeChat pushes."""

from app.api.wechat import callbacks, subscriptions
from app.api.wechat.login import views

__all__ = ["callbacks", "subscriptions", "views"]  # subscriptions is imported to register its routes
