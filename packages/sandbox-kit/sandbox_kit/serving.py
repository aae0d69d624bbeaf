"""A sandbox as the process of a command: it serves until a signal, and writes no log."""

import signal

import click
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    """The request handler of werkzeug, without its access log."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Write nothing: addresses of a sandbox carry secrets and numbers of people."""


def serve(app: Flask, host: str, port: int, handler: type[WSGIRequestHandler] = QuietHandler) -> None:
    """Serve in this process, one thread for each request, until SIGINT or SIGTERM.

    Raises ClickException when the port cannot be used.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = make_server(host, port, app, threaded=True, request_handler=handler)
    except SystemExit:  # werkzeug has printed that the port is in use
        raise click.ClickException(
            f"端口 {port} 不可用 Port {port} cannot be used: choose another with --port."
        ) from None
    server.serve_forever()
