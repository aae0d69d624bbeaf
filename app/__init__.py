"""Jixiang Code: the personal health code of Jilin province, behind a WeChat mini-program.

`create_app` is the whole assembly on one screen.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.services import Services


def create_app(services: "Services | None" = None) -> "Flask":
    """The web application, with services made from the settings unless given."""
    # imported here, so that `app.rules` can be used without everything else
    from flask_openapi3 import Info
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app import logs
    from app.chain.views import views as audit
    from app.citizens.appeal_views import views as appeals
    from app.citizens.views import views as citizens
    from app.codes.views import views as codes
    from app.config import load_settings
    from app.officers import console
    from app.services import make_services
    from app.stations.views import views as stations
    from app.web import authorization, bodies, limits, operations, problems
    from app.web.document import Documented
    from app.web.gate import Gate
    from app.wechat.callbacks.views import views as callbacks
    from app.wechat.views import views as wechat

    if services is None:
        settings = load_settings()
        logs.set_up(settings.log.level)
        services = make_services(settings)
    settings = services.settings
    app = Documented(
        __name__,
        info=Info(title="Jixiang Code 吉祥码", version="1.0.0", description="No text holds a NUL."),
        security_schemes={"session": {"type": "http", "scheme": "bearer"}},
        validation_error_callback=problems.from_validation,
    )
    app.extensions["jixiang"] = services
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body_bytes
    logs.init_app(app)
    operations.init_app(app)
    problems.init_app(app)
    authorization.init_app(app)  # first: nobody else's body is read
    bodies.init_app(app)
    limits.init_app(app, settings)
    for views in (wechat, callbacks, citizens, appeals, codes, stations, audit, operations.views):
        app.register_api(views)
    console.init_app(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    app.wsgi_app = Gate(app, services, console.busy_page(settings.environment))  # type: ignore[method-assign]
    return app
