"""From passages to a grounded, cited answer."""
