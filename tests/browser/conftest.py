"""A headless Chromium for the tests of this folder: skipped with a reason where there is none, required on CI."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser():
    """A Chromium that makes no requests of its own; every test opens a context in it.

    One per file: while playwright is open its event loop runs, and tests elsewhere could not run one of their own.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no Chromium on PATH (looked for {', '.join(NAMES)}): install it, e.g. `apt-get install chromium`"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """`open_page(path, **context)`: a page of a file with the network cut; what it asks, throws or alerts is noted.

    `page.noted` is the list of (kind, text); a test ends by comparing it with what it allows, mostly [].
    """
    contexts = []

    def open_page(path, offline=True, **options):
        context = browser.new_context(offline=offline, **options)
        contexts.append(context)
        page = context.new_page()
        page.noted = []
        page.on("pageerror", lambda error: page.noted.append(("error", str(error))))
        page.on("dialog", lambda dialog: (page.noted.append(("dialog", dialog.message)), dialog.dismiss()))
        page.on("console", lambda line: page.noted.append(("console", line.text)) if line.type == "error" else None)

        def guard(route):
            if route.request.url == path.as_uri():
                return route.continue_()
            page.noted.append(("request", route.request.url))
            return route.abort()

        if offline:
            page.route("**/*", guard)
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
