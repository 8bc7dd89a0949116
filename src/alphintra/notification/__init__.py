"""notification: what people are told, in their in-app inbox, once for each happening."""
