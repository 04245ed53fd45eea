"""How do we talk? Slack, answering, the command line."""
