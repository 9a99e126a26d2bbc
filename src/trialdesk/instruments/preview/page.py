"""The page put together and written."""

from __future__ import annotations

from pathlib import Path

from redcap_forms.javascript import literal
from redcap_forms.logic import logic
from trialdesk.config import Config
from trialdesk.errors import OutputFailed
from trialdesk.instruments.design import Design
from trialdesk.instruments.folder import ProjectName, read_design
from trialdesk.instruments.preview.model import model
from trialdesk.instruments.words import open_texts, words_of


def render(design: Design, title: str) -> str:
    """One HTML page with all instruments of a design; it loads nothing from anywhere."""
    from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

    rooms = {"form": PackageLoader("redcap_forms", ""), "preview": PackageLoader(__package__, "")}
    environment = Environment(loader=PrefixLoader(rooms), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("preview/page.html.j2")
    return page.render(
        title=title,
        words=words_of(design.language),
        language=design.language or "en",
        open_texts=open_texts(design),
        model=literal(model(design, title)),
        logic=logic(design.dictionary),
    )


def write_preview(
    config: Config, project: ProjectName, out: Path, language: str = "", *, wording: bool = False
) -> Path:
    """The preview of a project stands in `out`, which is returned.

    Args:
        config: The configuration.
        project: Which of the two projects.
        out: The HTML file.
        language: That of the words; "" for those of the files themselves.
        wording: Whether the local wording is merged; such a page may not be published.

    Raises:
        InstrumentError: the files can't be read.
        OutputFailed: the file can't be written.
    """
    design = read_design(config, project, language, wording=wording)
    text = render(design, f"{config.trial.id}: {project}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputFailed(f"{out}: can't be written ({type(error).__name__})") from None
    return out
