"""Every way by which words get out of the bot: one family a module."""
