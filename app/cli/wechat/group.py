"""Commands for WeChat: the sandbox, and how subscriptions and callbacks stand."""

import click

from app.cli import base


@base.main.group(cls=base.Group)
def wechat() -> None:
    """WeChat."""


@wechat.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True)
def wechat_sandbox(host: str, port: int) -> None:
    """A WeChat of one's own, with its answers, error codes and phones.

    Without a configured WeChat secret it makes up an appid and a secret, and tells them.
    """
    from app.web.serving import invent_wechat_account, serve

    click.echo(f"http://{host}:{port}  {invent_wechat_account()}")
    serve("app.web.serving:wechat_sandbox", host, port, workers=1, threads=16)


@wechat.command("subscriptions")
@base.as_json
def show_subscriptions(as_json: bool) -> None:
    """How many messages WeChat will still take from us, by template."""
    from app.notifications import subscriptions

    with base.services().sessions() as session:
        totals = subscriptions.totals(session)
    base.print_rows(["template", "users", "with credit", "credits", "accepting"], totals, as_json)


@wechat.command("callbacks")
@base.as_json
def show_callbacks(as_json: bool) -> None:
    """What WeChat has told us, and what came of it; those that wait for a worker come first."""
    from app.core.clock import rfc3339
    from app.wechat.callbacks.replay_report import summarize_receipts

    with base.services().sessions() as session:
        rows = [
            (one.event, one.outcome or "waiting", one.callbacks, rfc3339(one.oldest))
            for one in summarize_receipts(session)
        ]
    base.print_rows(["event", "outcome", "callbacks", "oldest"], rows, as_json)
