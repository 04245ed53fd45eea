"""What people do in Slack: one family of moves a module, all of them the visitor's."""
