"""A shop window for the service: run with Streamlit, beside the API or with an engine of its own.

    command("http://127.0.0.1:8000", "127.0.0.1", 8501)          # argv of the process
    RECO_API=http://... streamlit run reco_utils/serve/storefront/app.py

`app` and `pages` draw with Streamlit; everything else here works without it.
"""

import sys
from pathlib import Path

APP = Path(__file__).with_name("app.py")
LIGHT = {"primaryColor": "#8c3b2e", "backgroundColor": "#fffdfa", "secondaryBackgroundColor": "#f6f0e8",
         "textColor": "#28211d", "borderColor": "#e2d8cb", "linkColor": "#8c3b2e"}  # fmt: skip
DARK = {"primaryColor": "#b3503f", "backgroundColor": "#191614", "secondaryBackgroundColor": "#24201d",
        "textColor": "#f4ede5", "borderColor": "#453d37", "linkColor": "#f0a493"}  # fmt: skip
OPTIONS = {
    "server.headless": "true",  # opens no browser, asks for no e-mail address
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # what went wrong inside is for the log
    "client.showErrorLinks": "false",
    "client.showSidebarNavigation": "false",
    "theme.headingFont": "serif",
    "theme.baseRadius": "medium",
    "theme.showWidgetBorder": "true",
    "theme.showSidebarBorder": "true",
    **{f"theme.light.{name}": value for name, value in LIGHT.items()},
    **{f"theme.dark.{name}": value for name, value in DARK.items()},
}


def command(api_url: str | None, host: str, port: int, *, home: Path | str | None = None) -> list[str]:
    """The argv that serves the storefront; it ends on SIGTERM or Ctrl-C.

    Parameters
    ----------
    api_url : str, optional
        Of the API; None: an engine in the storefront's own process, from `home`.
    host, port : where to listen
    home : path, optional
        The store of artifacts: whom to offer as sample customers, and the results of experiments. Default: RECO_HOME.

    Raises
    ------
    ValueError  with neither an API nor a home
    """
    if api_url is None and home is None:
        raise ValueError("a storefront needs api_url, or home for an engine of its own")
    options = {"server.address": host, "server.port": port, **OPTIONS}
    found = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(APP),
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    given = {"--api": api_url, "--home": home}
    return [*found, "--", *(str(part) for name, value in given.items() if value is not None for part in (name, value))]
