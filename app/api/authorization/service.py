"""Routes of the service itself, open to anyone: published keys and lists, callbacks of WeChat, health."""

from app.api.authorization.callers import ANYONE, Routes

SERVICE: Routes = {
    ("GET", "/api/v1/service"): ANYONE,
    ("GET", "/.well-known/jixiang-keys"): ANYONE,
    ("GET", "/.well-known/jixiang-audit"): ANYONE,
    ("GET", "/.well-known/jixiang-revoked"): ANYONE,
    ("GET", "/.well-known/jixiang-trust"): ANYONE,
    ("GET", "/.well-known/did.json"): ANYONE,
    ("GET", "/wechat/callback"): ANYONE,  # the view checks WeChat's signature
    ("POST", "/wechat/callback"): ANYONE,
    ("GET", "/wechat/official/callback"): ANYONE,  # the same, of the official account
    ("POST", "/wechat/official/callback"): ANYONE,
    ("GET", "/healthz"): ANYONE,
    ("GET", "/readyz"): ANYONE,
    ("GET", "/metrics"): ANYONE,
}
