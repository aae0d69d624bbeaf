"""Jixiang Code: the personal health code of Jilin province, behind a WeChat mini-program.

`create_app` is the whole assembly on one screen.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.runtime import Services


__all__ = ["create_app"]


def create_app(services: "Services | None" = None) -> "Flask":
    """Return the web application, with services made from the settings unless given."""
    # imported here, so that `app.rules` can be used without everything else
    from flask_openapi3 import Info
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app import console
    from app.api import authorization
    from app.api.appeals import views as appeals
    from app.api.citizens import views as citizens
    from app.api.codes import views as codes
    from app.api.fast_path import FastPath
    from app.api.openapi import DocumentedApp
    from app.api.stations import views as stations
    from app.api.wechat import views as wechat
    from app.api.wechat_callbacks import views as callbacks
    from app.core.settings import load_settings, renamed
    from app.runtime import make_services
    from app.web import bodies, limits, logs, operations, problems

    if services is None:
        settings = load_settings()
        logs.configure(settings.log.level)
        renamed.log_given()
        services = make_services(settings)
        services.lease.start()
    settings = services.settings
    app = DocumentedApp(
        __name__,
        info=Info(title="Jixiang Code 吉祥码", version="1.0.0", description="No text contains NUL."),
        security_schemes={"session": {"type": "http", "scheme": "bearer"}},
        validation_error_callback=problems.validation_problem,
    )
    app.extensions["jixiang"] = services
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body_bytes
    logs.init_app(app)
    operations.init_app(app)
    problems.init_app(app)
    authorization.init_app(app)  # before bodies: the body of an unauthorized request is not read
    bodies.init_app(app)
    limits.init_app(app, settings)
    for views in (wechat, callbacks, citizens, appeals, codes, stations, operations.views):
        app.register_api(views)
    console.init_app(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    app.wsgi_app = FastPath(app, services, console.make_busy_page(settings.environment))  # type: ignore[method-assign]
    return app
