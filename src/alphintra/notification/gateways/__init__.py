"""Ways out of notification: mail servers and webhooks."""
