"""Messages in the formats of Slack, Teams, PagerDuty and Alertmanager. Texts of mentions are escaped for each."""

from __future__ import annotations

from typing import Any

from streams.respond.brief import brief
from streams.respond.notification import Notification
from streams.respond.routes import Route

#: Slack: text of a block at most 3000 characters; PagerDuty: summary at most 1024.
SLACK_TEXT, PAGERDUTY_SUMMARY = 3000, 1024
_ENDS = ("veille.crisis.resolved", "veille.crisis.cancelled")
_PAGERDUTY_SEVERITY = {1: "info", 2: "info", 3: "warning", 4: "error", 5: "critical"}


def slack(notification: Notification, route: Route) -> dict[str, Any]:
    """Return Slack blocks with a top-level ``text`` (https://api.slack.com/reference/block-kit/blocks)."""
    lines = [_slack_escape(line) for line in brief(notification.crisis, (), route.language)]
    text = "\n".join(lines[1:])[:SLACK_TEXT]
    foot = f"{notification.event} · {notification.crisis.crisis_id}"
    return {
        "text": lines[0][:SLACK_TEXT],
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": brief(notification.crisis, (), route.language)[0][:150]}},
            {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}},
            {"type": "context", "elements": [{"type": "plain_text", "text": foot[:150]}]},
        ],
    }


def _slack_escape(text: str) -> str:
    """Escape what Slack reads as control sequences, and what would format: a mention must not ping or link.

    >>> _slack_escape("<!channel> & *now*")
    '&lt;!channel&gt; &amp; ∗now∗'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("*", "\u2217").replace("`", "\u2032")


def teams(notification: Notification, route: Route) -> dict[str, Any]:
    """Return an Adaptive Card for a Workflows URL; plain text runs read no Markdown."""
    lines = brief(notification.crisis, (), route.language)
    body: list[dict[str, Any]] = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line, "weight": "Bolder" if i == 0 else "Default"}]}
        for i, line in enumerate(lines)
    ]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def pagerduty(notification: Notification, route: Route) -> dict[str, Any]:
    """Return an Events v2 body: trigger, acknowledge or resolve under ``dedup_key`` = crisis id."""
    crisis = notification.crisis
    if notification.event in _ENDS or crisis.phase == "merged":
        action = "resolve"
    else:
        action = "acknowledge" if crisis.acknowledged_by and notification.event == "veille.crisis.updated" else "trigger"
    event: dict[str, Any] = {"routing_key": route.secret, "event_action": action, "dedup_key": crisis.crisis_id[:255]}
    if action == "trigger":
        lines = brief(crisis, (), route.language)
        event["payload"] = {
            "summary": lines[0][:PAGERDUTY_SUMMARY], "source": f"veille/{crisis.brand}", "severity": _PAGERDUTY_SEVERITY[crisis.severity],
            "timestamp": notification.time, "component": crisis.brand, "group": crisis.kind, "class": crisis.phase,
            "custom_details": {"brief": lines[1:]},
        }  # fmt: skip
    return event


def alertmanager(notification: Notification, route: Route) -> dict[str, Any]:
    """Return the webhook payload of Alertmanager, version 4, so that receivers made for it work."""
    crisis = notification.crisis
    ended = notification.event in _ENDS or crisis.phase == "merged"
    status = "resolved" if ended else "firing"
    labels = {"alertname": "VeilleCrisis", "brand": crisis.brand, "crisis": crisis.crisis_id}
    labels |= {"kind": crisis.kind, "severity": str(crisis.severity)}
    lines = brief(crisis, (), route.language)
    notes = {"summary": lines[0], "description": "\n".join(lines[1:])}
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
