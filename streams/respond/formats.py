"""Messages in the formats of Slack, Teams, PagerDuty and Alertmanager. Texts of mentions are escaped for each."""

from __future__ import annotations

from typing import Any

from schemas.response import Notification
from streams.respond.brief import brief
from streams.respond.brief_words import EVENTS
from streams.respond.routes import Route
from streams.respond.tell import is_end

#: Slack: a section's text at most 3000 characters, a header's 150; PagerDuty: summary at most 1024.
SLACK_TEXT, SLACK_HEADER, PAGERDUTY_SUMMARY = 3000, 150, 1024
_PAGERDUTY_SEVERITY = {1: "info", 2: "info", 3: "warning", 4: "error", 5: "critical"}
_NEWS = {
    "en": {"veille.task.opened": "To do: ", "veille.task.late": "Late: ", "veille.task.escalated": "Escalated: "},
    "fr": {
        "veille.task.opened": "À faire\u00a0: ",
        "veille.task.late": "En retard\u00a0: ",
        "veille.task.escalated": "Passée au suppléant\u00a0: ",
    },
}


def lines(notification: Notification, language: str) -> list[str]:
    """Return the brief; where the message is about tasks its first line says so."""
    text = brief(notification.crisis, notification.tasks, language)
    return [_NEWS.get(language, _NEWS["en"]).get(notification.event, "") + text[0], *text[1:]]


def foot(notification: Notification, language: str) -> str:
    """Return what a message is about: what happened, where no first line says it, and the id that commands take."""
    what = notification.event.removeprefix("veille.crisis.")
    said = "" if what.startswith("veille.task.") else f"{EVENTS.get(language, {}).get(what, what)} · "
    return said + notification.crisis.crisis_id


def _over(notification: Notification) -> bool:
    return is_end(notification.event.removeprefix("veille.crisis."), notification.crisis)


def slack(notification: Notification, route: Route) -> dict[str, Any]:
    """Return Slack blocks with a top-level ``text`` (https://api.slack.com/reference/block-kit/blocks)."""
    said = lines(notification, route.language)
    text = ""
    for line in said[1:]:
        # A cut inside an escape would show half of it: whole lines only.
        longer = f"{text}\n{slack_escape(line)}" if text else slack_escape(line)
        text = longer if len(longer) <= SLACK_TEXT else text
    below = foot(notification, route.language)
    return {
        "text": slack_escape(said[0]), "unfurl_links": False, "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": said[0][:SLACK_HEADER], "emoji": False}},
            {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}},
            {"type": "context", "elements": [{"type": "plain_text", "text": below[:SLACK_HEADER], "emoji": False}]},
        ],
    }  # fmt: skip


def slack_escape(text: str) -> str:
    """Escape what Slack reads as control sequences, and what would format: a mention must not ping or link.

    >>> slack_escape("<!channel> & *now* _x_ ~y~ `z`")
    '&lt;!channel&gt; &amp; ∗now∗ ＿x＿ ∼y∼ ′z′'
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("*", "\u2217").replace("`", "\u2032").replace("_", "\uff3f").replace("~", "\u223c")


def teams(notification: Notification, route: Route) -> dict[str, Any]:
    """Return an Adaptive Card for a Workflows URL; plain text runs read no Markdown and no mention."""
    body: list[dict[str, Any]] = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line, "weight": "Bolder" if i == 0 else "Default"}]}
        for i, line in enumerate([*lines(notification, route.language), foot(notification, route.language)])
    ]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def pagerduty(notification: Notification, route: Route) -> dict[str, Any]:
    """Return an Events v2 body: trigger, acknowledge or resolve under ``dedup_key`` = crisis id."""
    crisis = notification.crisis
    action = "trigger"
    if _over(notification):
        action = "resolve"
    elif notification.event == "veille.crisis.noted":
        action = "acknowledge"
    event: dict[str, Any] = {"routing_key": route.secret, "event_action": action, "dedup_key": crisis.crisis_id[:255]}
    if action == "trigger":
        said = lines(notification, route.language)
        event["payload"] = {
            "summary": said[0][:PAGERDUTY_SUMMARY], "source": f"veille/{crisis.brand}", "severity": _PAGERDUTY_SEVERITY[crisis.severity],
            "timestamp": notification.time, "component": crisis.brand, "group": crisis.kind, "class": crisis.phase,
            "custom_details": {"brief": said[1:]},
        }  # fmt: skip
    return event


def alertmanager(notification: Notification, route: Route) -> dict[str, Any]:
    """Return the webhook payload of Alertmanager, version 4, so that receivers made for it work."""
    crisis, ended = notification.crisis, _over(notification)
    status = "resolved" if ended else "firing"
    labels = {"alertname": "VeilleCrisis", "brand": crisis.brand, "crisis": crisis.crisis_id}
    labels |= {"kind": crisis.kind, "severity": str(crisis.severity), "status": crisis.status}
    said = lines(notification, route.language)
    notes = {"summary": said[0], "description": "\n".join(said[1:])}
    alert = {
        "status": status, "labels": labels, "annotations": notes, "startsAt": crisis.opened_at or crisis.onset,
        "endsAt": notification.time if ended else "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": crisis.crisis_id,
    }  # fmt: skip
    return {
        "version": "4", "groupKey": f'{{}}:{{crisis="{crisis.crisis_id}"}}', "truncatedAlerts": 0,
        "status": status,
        "receiver": route.name, "groupLabels": {"crisis": crisis.crisis_id}, "commonLabels": labels,
        "commonAnnotations": notes, "externalURL": "", "alerts": [alert],
    }  # fmt: skip


FORMATTERS = {"slack": slack, "teams": teams, "pagerduty": pagerduty, "alertmanager": alertmanager}
