"""Commands for WeChat: subscriptions and callbacks."""

from app.cli import base
from app.cli.language import translate_callback


@base.main.group(cls=base.Group)
def wechat() -> None:
    """WeChat."""


@wechat.command("subscriptions")
@base.as_json
def show_subscriptions(as_json: bool) -> None:
    """Show how many messages WeChat still accepts, by template."""
    from app.notifications import subscriptions

    with base.services().sessions() as session:
        totals = subscriptions.totals(session)
    base.print_rows(["template", "users", "with credit", "credits", "accepting"], totals, as_json)


@wechat.command("callbacks")
@base.as_json
def show_callbacks(as_json: bool) -> None:
    """List the callbacks received and their outcomes; those that wait for a worker come first."""
    from app.core.clock import rfc3339
    from app.wechat.callbacks.replay_report import summarize_receipts

    words = str if as_json else translate_callback
    with base.services().sessions() as session:
        rows = [
            (one.event, words(one.outcome or "waiting"), one.callbacks, rfc3339(one.oldest))
            for one in summarize_receipts(session)
        ]
    columns = ["event", "outcome", "callbacks", "oldest"]
    base.print_rows([words(column) for column in columns], rows, as_json)
