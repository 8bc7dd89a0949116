"""Decisions of nocode, by subject: workflows and versions, who may do what with them, documents to carry away."""
