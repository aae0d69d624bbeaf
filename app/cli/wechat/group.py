"""Commands for WeChat: subscriptions and callbacks."""

from app.cli import base


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

    with base.services().sessions() as session:
        rows = [
            (one.event, one.outcome or "waiting", one.callbacks, rfc3339(one.oldest))
            for one in summarize_receipts(session)
        ]
    base.print_rows(["event", "outcome", "callbacks", "oldest"], rows, as_json)
