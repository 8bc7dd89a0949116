"""The HTTP gateway: the only way in from outside; it decides who is asking and speaks to services over the bus."""
