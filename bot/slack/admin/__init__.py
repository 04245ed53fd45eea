"""Administration in Slack: `/roles`, `/access`, `/docs` and `/audit`, for people who hold `ostiary-admin`."""
