"""A small company, Slack in memory, and the plainest rule of who may read what: to drive the real door against."""
