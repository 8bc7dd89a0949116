"""Reports over the data of several services, through roles of their own; off by default."""
