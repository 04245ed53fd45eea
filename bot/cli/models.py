"""`ostiary models`: what is installed, what suits this machine, what is in use; and pulling another."""

from typing import Annotated

import typer

from bot.cli.options import legible

app = typer.Typer(
    name="models",
    help="Models and adapters: what is installed, what suits this machine and why, and which is in use.",
    invoke_without_command=True,
)


@app.callback()
def list_(context: typer.Context) -> None:
    """Models and adapters: what is installed, what suits this machine and why, and which is in use."""
    from bot.cli.model_tables import print_models

    if context.invoked_subcommand is None:
        print_models()


@app.command()
def pull(
    name: Annotated[
        str, typer.Argument(help="Its id on the Hugging Face hub.", metavar="ID", callback=legible)
    ],
) -> None:
    """Bring a language model from the Hugging Face hub, and say how to use it."""
    from bot.cli.model_tables import pull_model

    pull_model(name)
