"""The `ostiary` command line: the composition root. One module a command; heavy imports wait until it runs."""

import sys


def main() -> None:
    """Run a command. What goes wrong in a way that a person can mend is said in a sentence, exit code 1."""
    from auth.errors import OstiaryError
    from bot.cli.commands import app
    from bot.cli.output import say_error

    try:
        app()
    except OstiaryError as error:
        say_error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
