"""The bus identities: one nkey per user, its seed kept as a secret of the home."""

from __future__ import annotations

import os

from alphintra.runtime.home import Home

__all__ = ["nats_public_key", "nats_seed", "nats_seed_name"]


def nats_seed_name(user: str) -> str:
    """Return the name of the secret that holds a user's seed, e.g. for `Home.secret_path`."""
    return f"nats-{user}.nk"


def nats_seed(home: Home, user: str) -> str:
    """Return the nkey seed of a bus user, drawn at first use."""
    seed = home.read_secret(nats_seed_name(user))
    if seed is None:
        import nkeys  # type: ignore[import-untyped]  # noqa: PLC0415 - loads 15 MB of cryptography, needed at the very first start only

        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER).decode("ascii")
        home.write_secret(nats_seed_name(user), seed)
    return seed


def nats_public_key(home: Home, user: str) -> str:
    """Return the public nkey of a bus user, kept beside the seed so that a warm start computes nothing."""
    name = f"nats-{user}.pub"
    seed = nats_seed(home, user)
    kept = home.read_secret(name)
    if kept is None:
        import nkeys  # noqa: PLC0415 - as above

        kept = nkeys.from_seed(seed.encode("ascii")).public_key.decode("ascii")
        home.write_secret(name, kept)
    return kept
