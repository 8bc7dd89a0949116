"""Control plane of the databases and of the bus: declared, observed, planned, applied, migrated and attacked.

Order of a provisioning run: ``provision`` (``apply``, ``migrations``, ``apply``), ``streams``, ``verify``.
"""
