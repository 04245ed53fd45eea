"""The Slack edge: thin Bolt listeners, middleware, views."""
