"""The storefront's process: finds the shop, draws the page that the address names, and never shows an exception.

    RECO_API=http://127.0.0.1:8000 streamlit run app.py         beside an API
    RECO_HOME=runs/serve/shop-medium streamlit run app.py       with an engine of its own

Environment: RECO_API, RECO_HOME, RECO_ADMIN_KEY (so that customers can be forgotten), RECO_SHOP (the shop's name) and
RECO_CURRENCY. Arguments after "--" come first: --api, --home.
"""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from reco_utils.serve.ask import Unavailable
from reco_utils.serve.storefront import pages
from reco_utils.serve.storefront.client import Customer, InProcess, OverHttp, Rows, Shop, sample_customers
from reco_utils.serve.storefront.pictures import picture

STYLE = Path(__file__).with_name("style.css")
log = logging.getLogger("reco_utils.serve")


def where(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """Url of the API and the home of artifacts, as said by arguments or the environment; "" where nothing is said."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--api", default=environment.get("RECO_API", ""))
    parser.add_argument("--home", default=environment.get("RECO_HOME", ""))
    given, _ = parser.parse_known_args(list(arguments))
    return given.api.strip(), given.home.strip()


@st.cache_resource(show_spinner="Opening the shop ...")
def open_shop(api: str, home: str) -> Shop:
    """The shop behind an API, or one with an engine in this process.

    Raises
    ------
    Unavailable  when there is neither
    """
    if api:
        return OverHttp(api, os.environ.get("RECO_ADMIN_KEY", ""))
    if not home:
        raise Unavailable("neither RECO_API nor RECO_HOME says where the shop is")
    from reco_utils.serve.plain import ArtifactError
    from reco_utils.serve.server import build
    from reco_utils.serve.settings import Settings
    from reco_utils.serve.upkeep import Upkeep

    try:
        settings = Settings.from_environment(os.environ, home=Path(home))
        upkeep = Upkeep(build(settings), settings.refresh_seconds)
        upkeep.__enter__()  # until the process ends
        return InProcess(upkeep.engine, upkeep.feeding)
    except (ArtifactError, ValueError, OSError) as refusal:
        raise Unavailable(str(refusal)) from None


@st.cache_resource(show_spinner=False)
def open_rows(_shop: Shop, api: str, home: str) -> Rows:
    """The rows of the catalogue that pages show, shared by all visitors."""
    return Rows(_shop)


@st.cache_resource(show_spinner=False, ttl=600)
def find_customers(home: str) -> list[Customer]:
    """Customers to try the shop as; none when the artifacts are out of reach."""
    from reco_utils.serve.artifact import load
    from reco_utils.serve.plain import ArtifactError

    try:
        return sample_customers(load(home)) if home else []
    except (ArtifactError, OSError, KeyError):
        return []


def main() -> None:
    """Draw one page."""
    st.set_page_config("Corner & Co.", picture("tote bag, brick red", "Fashion"), layout="wide")
    st.html(STYLE)
    api, home = where(sys.argv[1:], os.environ)
    try:
        shop = open_shop(api, home)
        desk = pages.Desk(
            shop,
            open_rows(shop, api, home),
            tuple(find_customers(home)),
            home or None,
            os.environ.get("RECO_SHOP", "Corner & Co."),
            os.environ.get("RECO_CURRENCY", "€"),
        )
        pages.show(desk)
    except Unavailable as error:
        pages.closed(str(error), api)
    except Exception:  # ours, and for the log; whoever is shopping is told kindly
        log.exception("a page could not be drawn")
        pages.closed("something went wrong here; the log of this window says what", api)


if __name__ == "__main__":
    main()
