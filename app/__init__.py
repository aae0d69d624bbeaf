"""Jixiang Code: the personal health code of Jilin province, behind a WeChat mini-program.

`create_app` is the whole assembly of the Flask application on one screen; `server` puts the fast path before it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_openapi3 import OpenAPI

    from app.runtime import Services


__all__ = ["create_app"]


def create_app(services: "Services") -> "Flask":
    """Return the Flask application."""
    # imported here, so that `app.rules` can be used without everything else
    from flask_openapi3 import Info
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app.api.openapi import SECURITY_SCHEMES, DocumentedApp
    from app.core import province
    from app.web import problems

    proxies = services.settings.proxies
    app = DocumentedApp(
        __name__,
        info=Info(title=province.current().full_name, version="1.0.0", description="No text contains NUL."),
        security_schemes=SECURITY_SCHEMES,
        validation_error_callback=problems.validation_problem,
        swagger=services.settings.web.swagger,
    )
    app.extensions["jixiang"] = services
    _add_plumbing(app, services)
    _add_routes(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    return app


def _add_plumbing(app: "OpenAPI", services: "Services") -> None:
    """Add what every request passes, in this order."""
    from app.api import authorization
    from app.web import bodies, limits, logs, operations, paths, problems, security_headers

    settings = services.settings
    security_headers.init_app(app, settings.environment)  # first: the headers are added last, where they are missing
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body_bytes
    logs.init_app(app)
    operations.init_app(app)
    problems.init_app(app)
    paths.init_app(app)
    authorization.init_app(app)  # before bodies: the body of an unauthorized request is not read
    bodies.init_app(app)
    limits.init_app(app, services)


def _add_routes(app: "OpenAPI") -> None:
    from app import console
    from app.api import citizens, codes, devices, families, partners, stations, venues, visits, wechat
    from app.web import operations

    for part in (
        wechat,
        wechat.callbacks,
        citizens,
        citizens.appeals,
        codes,
        families,
        stations,
        devices,
        partners,
        venues,
        visits,
        operations,
    ):
        app.register_api(part.views)
    console.init_app(app)
