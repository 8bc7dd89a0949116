"""The few pages the gateway serves by itself: no file, no asset of others, a policy that allows nothing else."""

from __future__ import annotations

import secrets
from html import escape
from typing import Any, Final

from starlette.responses import HTMLResponse

__all__ = ["api_page", "home_page", "setup_page", "waiting_page"]

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } code, pre, td:first-child { font-family: ui-monospace, monospace }
pre { white-space: pre-wrap }
table { border-collapse: collapse; width: 100% } td, th { padding: .3rem .6rem; text-align: left; vertical-align: top }
tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
label { display: block; margin: 1rem 0 }
input { display: block; width: 100%; padding: .5rem; font: inherit; box-sizing: border-box }
button { padding: .5rem 1.2rem; font: inherit } [role=status] { min-height: 1.5rem; margin-top: 1rem }
"""

_SETUP_SCRIPT: Final = """
const token = new URLSearchParams(location.search).get("token") || "";
history.replaceState(null, "", location.pathname);
const form = document.querySelector("form"), status = document.querySelector("[role=status]");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  status.textContent = "Creating the owner …";
  try {
    const body = JSON.stringify({ token, email: form.email.value, password: form.password.value });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/api/v1/setup/owner", { method: "POST", headers, body });
    const result = await answer.json();
    if (answer.ok) {
      form.remove();
      status.textContent = "Done: " + result.email + " owns this installation and can log in now.";
      return;
    }
    status.textContent = result.detail + " (" + result.code + ")";
  } catch { status.textContent = "The server does not answer: is it still running?"; }
  button.disabled = false;
});
"""

_SETUP_FORM: Final = """
<p>Create the owner of this installation. The link that brought you here works once.</p>
<form method="post">
<label>E-mail <input name="email" type="email" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="new-password" minlength="8" required></label>
<button>Create owner</button>
</form>
<p role="status" aria-live="polite"></p>
<noscript><p>This form needs JavaScript; without it, POST the same as JSON to
<code>/api/v1/setup/owner</code>.</p></noscript>
"""

_HOME: Final = """
<p>Alphintra {version} runs here: strategies as graphs, backtests, paper trading, and eight services with a database of
their own each.</p>
<ul>
<li><a href="/api/v1/health">Health</a> of the eight services and their databases</li>
<li><a href="/api/docs">Routes</a> of the API, and its <a href="/api/openapi.json">OpenAPI description</a></li>
</ul>
"""


_BUILDING: Final = """
<p role="status">The web interface is being built (about 40 s). This page looks again by itself.</p>
<p>Command line and <a href="/api/docs">API</a> work meanwhile.</p>
"""

_RETRY: Final = """
<p>Mend that, then run <code>python tools/build_web.py</code> in the checkout and load this page again. Command line and
<a href="/api/docs">API</a> do not need it.</p>
"""


def home_page(version: str) -> HTMLResponse:
    """Say what runs here."""
    return _page("Alphintra", _HOME.format(version=escape(version)))


def waiting_page(reason: str) -> HTMLResponse:
    """Say that the web interface is being built, and look again by itself; or why it could not be."""
    if reason:
        text = f"<p>The web interface could not be built:</p><pre>{escape(reason)}</pre>{_RETRY}"
        return _page("Alphintra", text, status=503)
    return _page("Alphintra", _BUILDING, status=503, again_after_s=2)


def setup_page() -> HTMLResponse:
    """Offer the form that registers the first owner; the token stays in the browser, out of the page's source."""
    return _page("Set up Alphintra", _SETUP_FORM, script=_SETUP_SCRIPT)


def api_page(description: dict[str, Any]) -> HTMLResponse:
    """List the routes of an OpenAPI description."""
    rows = [
        f"<tr><td>{escape(method.upper())} {escape(path)}</td><td>{escape(operation['x-scope'])}</td>"
        f"<td>{escape(operation.get('description', ''))}</td></tr>"
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    head = "<tr><th>Route</th><th>Scope</th><th>What it does</th></tr>"
    text = '<p>Bodies, answers and parameters: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
    return _page("Alphintra API", f"{text}<table>{head}{''.join(rows)}</table>")


def _page(
    title: str, content: str, *, script: str = "", status: int = 200, again_after_s: int | None = None
) -> HTMLResponse:
    nonce = secrets.token_urlsafe(18)
    code = f'<script nonce="{nonce}">{script}</script>' if script else ""
    again = "" if again_after_s is None else f'<meta http-equiv="refresh" content="{again_after_s}">'
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">{again}'
        f'<style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{content}{code}</body></html>"
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(page, status_code=status, headers={"Content-Security-Policy": policy})
