"""How the bot does in Slack: acknowledgements, first words, and answers across kills."""
