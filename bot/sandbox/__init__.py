"""A local workspace that speaks Slack to the real SDK and shows a page in the browser."""
