"""Models and adapters as tables and sentences on the command line."""

from pathlib import Path

from rich.text import Text

from bot.cli.administering import print_table
from bot.cli.output import out, progress_line
from bot.generation.inventory import (
    WORTH_PULLING,
    InstalledAdapter,
    InstalledModel,
    installed_adapters,
    installed_models,
)
from bot.generation.suitability import Machine, Verdict, judge, this_machine
from bot.settings import Settings, load_settings
from retrieval.weights import ModelNotFound, language_model_folder, parameters_of


class CannotBePulled(ModelNotFound):
    """The hub gave no such model, or was not reached."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' could not be pulled: the Hugging Face hub cannot be reached from here, or gives no model of"
            " that name. Check the name and the network, and HF_TOKEN for a model that asks for consent; or copy"
            " its folder here and name it in OSTIARY_LANGUAGE_MODEL."
        )


def print_models() -> None:
    """Everything there is, and what might be."""
    settings = load_settings()
    with progress_line() as progress:
        progress("Looking at models and machine")
        machine, models = this_machine(settings.device), installed_models(settings, progress)
    out.print(Text.assemble(("This machine: ", "bold"), machine.in_words))
    if settings.generator_url:
        said = f"{settings.generator_model or 'a model that is not named'} at {settings.generator_url}"
        out.print(Text.assemble(("Texts are written by: ", "bold"), said))
    headings = ["Model", "For", "Where", "Size", "Suits", "Why", "In use"]
    print_table(headings, [_model_row(model, machine) for model in models], "No model is installed.")
    _print_adapters(installed_adapters(settings))
    here = {model.name for model in models}
    rows = [
        [known.name, _size(known.parameters), *_verdict(judge(known.parameters, machine))]
        for known in WORTH_PULLING
        if known.name not in here
    ]
    print_table(["`ostiary models pull ...`", "Size", "Suits", "Why"], rows, "")


def pull_model(name: str) -> None:
    """Bring it, unless it is here; raises CannotBePulled or ModelUnusable."""
    settings = load_settings()
    if Path(name).expanduser().exists():
        out.print(Text(f"{name} is a folder: nothing to pull. Set OSTIARY_LANGUAGE_MODEL={name} to use it."))
        return
    with progress_line() as progress:
        progress(f"Pulling {name}")
        try:
            folder = language_model_folder(name, cache=settings.cache, progress=progress)
        except ModelNotFound as error:
            raise CannotBePulled(name) from error
    verdict = judge(parameters_of(folder), this_machine(settings.device))
    suits = "It suits this machine" if verdict.suits else "It does not suit this machine"
    out.print(Text(f"{name} is here. {suits}: {verdict.reason}. {_how_to_use(name, settings)}"))


def _how_to_use(name: str, settings: Settings) -> str:
    if name == settings.language_model:
        return "It is in use."
    return f"Set OSTIARY_LANGUAGE_MODEL={name} to use it."


def _model_row(model: InstalledModel, machine: Machine) -> list[str]:
    verdict = judge(model.parameters, machine)
    if model.flaw:
        verdict = Verdict(False, model.flaw)
    elif model.purpose != "language":
        verdict = Verdict(True, "small beside a language model")
    size = _size(model.parameters) if model.parameters else ""
    used = "yes" if model.in_use else ""
    return [model.name, model.purpose, model.where, size, *_verdict(verdict), used]


def _print_adapters(adapters: list[InstalledAdapter]) -> None:
    rows = [
        [one.name, one.readers, "no" if one.flaw else "yes", one.flaw, "yes" if one.in_use else ""]
        for one in adapters
    ]
    if rows:
        print_table(["Adapter", "For whoever may read", "Fits", "Why not", "In use"], rows, "")


def _verdict(verdict: Verdict) -> tuple[str, str]:
    return ("yes" if verdict.suits else "no", verdict.reason)


def _size(parameters: int) -> str:
    millions = parameters / 1e6
    return f"{millions:.0f} M" if millions < 1000 else f"{millions / 1000:.1f} B"
