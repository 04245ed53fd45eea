"""Administration in Slack: `/roles`, `/access` and `/audit`, for people who hold `ostiary-admin`."""
