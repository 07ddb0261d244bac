"""
What browsers may do with our answers: load from our own origin alone, use none of the device's
features, show nothing inside other sites, and cache nothing that is of one person or one moment.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.on_the_way_out import OnTheWayOut

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        # The page is installable, and one worker holds the stream for all tabs.
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# No page of ours makes markup from text. The two policies pass the addresses of our own workers,
# and no others. The admin's own scripts make markup, so it goes without.
TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types stream-worker service-worker"

# Those that browsers know in 2026; a browser ignores the names that are new to it. Passkeys and a
# chart that fills the screen are all that we may want.
_FEATURES_OFF = [
    "accelerometer",
    "aria-notify",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "captured-surface-control",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "cross-origin-isolated",
    "deferred-fetch",
    "deferred-fetch-minimal",
    "digital-credentials-create",
    "digital-credentials-get",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "language-detector",
    "language-model",
    "local-fonts",
    "local-network",
    "local-network-access",
    "loopback-network",
    "magnetometer",
    "media-playback-while-not-visible",
    "microphone",
    "midi",
    "on-device-speech-recognition",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "private-state-token-issuance",
    "private-state-token-redemption",
    "screen-wake-lock",
    "serial",
    "speaker-selection",
    "storage-access",
    "summarizer",
    "sync-xhr",
    "translator",
    "unload",
    "usb",
    "web-share",
    "window-management",
    "xr-spatial-tracking",
]
_FEATURES_ON = ["publickey-credentials-get", "publickey-credentials-create", "fullscreen"]
PERMISSIONS_POLICY = ", ".join(
    [f"{feature}=()" for feature in _FEATURES_OFF]
    + [f"{feature}=(self)" for feature in _FEATURES_ON]
)

_OF_ONE_MOMENT = ("/healthz", "/readyz", "/metrics")


def headers(path: str, status: int) -> dict[str, str]:
    """The headers that every answer carries, by the path it is for and its status."""
    trusted_types = "" if path.startswith("/admin/") else TRUSTED_TYPES
    always = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY + trusted_types,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    # One person's figures, or what was wrong a moment ago, must not come out of a cache.
    if status >= 400 or path.startswith(("/api/", "/sse/")) or path in _OF_ONE_MOMENT:
        return always | {"Cache-Control": "no-store"}
    return always


class BrowserRulesMiddleware(OnTheWayOut):
    """
    Adds these headers to every response.

    It is the outermost, so that what other middlewares answer themselves has them too.
    """

    def changed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The same, with the headers."""
        for name, value in headers(request.path, response.status_code).items():
            response.headers[name] = value
        return response
