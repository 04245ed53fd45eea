"""The `ostiary` command line: the composition root. One module a command; heavy imports wait until it runs."""

import os
import sys


def main() -> None:
    """Run a command. What goes wrong in a way that a person can mend is said in a sentence, exit code 1."""
    os.environ["TQDM_DISABLE"] = "1"  # long steps are told in lines of our own
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        os.environ[name] = "false"  # LangChain would send questions and passages to another company
    from auth.errors import OstiaryError
    from bot.cli.commands import app
    from bot.cli.output import say_error

    try:
        app()
    except OstiaryError as error:
        say_error(str(error))
        sys.exit(1)
    except OSError as error:
        where = (
            f" at {error.filename}: check that path, its rights, and OSTIARY_HOME" if error.filename else ""
        )
        say_error(f"The system refused ({error.strerror or error}){where}.")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
