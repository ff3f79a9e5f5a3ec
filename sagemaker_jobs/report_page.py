"""The shell of a report page: one HTML document that loads nothing, no script, font or image from outside."""

from collections.abc import Sequence
from html import escape

from sagemaker_jobs.report_page_style import STYLE_SHEET

SYNTHETIC_BANNER = (
    '<p class="banner" role="alert">Synthetic data: these customers were invented by a generator. The'
    " figures tell nothing about real customers, and this model must not be approved.</p>"
)


def render_page(title: str, sections: Sequence[str], extra_style: str = "") -> str:
    """Return the whole document; `title` is escaped here, sections are HTML already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # The browser itself then refuses anything a mistake here would let in.
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE_SHEET}{extra_style}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )
