"""Every other service, through Apprise (an extra: ``pip install 'veille[apprise]'``)."""

from __future__ import annotations

import asyncio
from typing import Any

from schemas.response import Notification
from streams.errors import BadInput
from streams.respond.deliver import Attempt
from streams.respond.formats import lines
from streams.respond.routes import Route


class Other:
    """One Apprise target. Raises `BadInput` where Apprise is missing, cannot read the URL, or would choose the address itself.

    Apprise opens its own connections and follows redirects, so an address cannot be pinned: a URL that names a host is refused unless
    the route says ``allow_private: true``; services at a fixed address (Discord, Telegram, ...) need no such word.
    """

    def __init__(self, route: Route, *, allow_private: bool = False) -> None:
        try:
            import apprise
        except ImportError:
            raise BadInput(f"route {route.name}: the format apprise needs an extra; pip install 'veille[apprise]'") from None
        asset = apprise.AppriseAsset(app_id="Veille", async_mode=False, plugin_paths=[], storage_mode=apprise.PersistentStoreMode.MEMORY)
        target: Any = apprise.Apprise.instantiate(route.url, asset=asset, suppress_exceptions=True)
        if target is None:
            raise BadInput(f"route {route.name}: Apprise reads no service in its url; see https://github.com/caronc/apprise/wiki")
        names_host = any("{host}" in template for template in target.templates) and bool(getattr(target, "host", ""))
        if names_host and not (route.allow_private or allow_private):
            raise BadInput(
                f"route {route.name}: Apprise connects to the host of this url by itself, so its address cannot be checked; "
                "use format webhook, or allow_private: true"
            )
        self._language = route.language
        self._text = apprise.NotifyFormat.TEXT
        self._apprise = apprise.Apprise(asset=asset)
        self._apprise.add(target)

    async def send(self, notification: Notification) -> Attempt:
        """Hand one message to the service, once."""
        said = [plain(line) for line in lines(notification, self._language)]

        def hand_over() -> bool:
            return bool(self._apprise.notify(title=said[0], body="\n".join(said[1:]), body_format=self._text))

        return Attempt(True, "handed over") if await asyncio.to_thread(hand_over) else Attempt(False, "apprise: not delivered")


def plain(text: str) -> str:
    """Take from a text what services read as a ping, a link or a format: what Apprise sends as it stands, some of them render.

    >>> plain("@everyone *now* <b> [a](b)")
    '@\u200beveryone ∗now∗ ‹b› ［a］(b)'
    """
    text = text.replace("@", "@\u200b").replace("*", "\u2217").replace("`", "\u2032").replace("<", "‹").replace(">", "›")
    return text.replace("[", "［").replace("]", "］").replace("_", "＿").replace("~", "\u223c").replace("|", "¦")
