"""Use cases of nocode, by subject: graphs and workflows, their history, sharing, import and export."""
