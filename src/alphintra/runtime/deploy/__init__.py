"""Kubernetes manifests of the whole platform, generated from the manifest for every layout; no cluster is touched."""
