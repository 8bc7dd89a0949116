"""Who may be registered, and with which password."""

from __future__ import annotations

import pytest

from alphintra.auth.app import common_passwords
from alphintra.auth.domain import Role, check_password, may_grant, normalise_email, parse_role
from alphintra.kernel.errors import AlphintraError

EMAIL = "ada@example.org"


def refusal(password: str, *, email: str = EMAIL, common: frozenset[str] = frozenset()) -> str:
    with pytest.raises(AlphintraError) as caught:
        check_password(password, email=email, common=common)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+x@Example.ORG\n", "ada.lovelace+x@example.org"),
        ("a@b.co", "a@b.co"),
        (f"{'a' * 64}@example.org", f"{'a' * 64}@example.org"),
    ],
)
def test_an_address_is_trimmed_and_lowered(text: str, email: str) -> None:
    assert normalise_email(text) == email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@@example.org",
        "a b@example.org",
        "ada@exam ple.org",
        ".ada@example.org",
        "ada..x@example.org",
        "ada@-example.org",
        "ada@example-.org",
        "ada@example..org",
        "ada@example.org.",
        "ada@exämple.org",
        "ada\0@example.org",
        "ada@example.org\nbcc: eve@example.org",
        "ada@example.org,eve@example.org",
        f"{'a' * 65}@example.org",
        f"ada@{'a' * 64}.org",
        f"ada@{'a.' * 130}org",
        "ada\ud800@example.org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        normalise_email(text)
    assert caught.value.code == "EMAIL_FORMAT"
    assert caught.value.pointer == "/email"


@pytest.mark.parametrize(
    "password",
    [
        "eight888",
        "correct horse battery staple at sea",
        "🦉🦉🦉🦉🦉🦉🦉🦉",
        " leading and trailing ",
        "p" * 64,
        "x" * 1024,
        "\0" * 8,
    ],
)
def test_any_characters_make_a_password(password: str) -> None:
    check_password(password, email=EMAIL, common=common_passwords())


def test_a_password_of_seven_characters_is_too_short() -> None:
    assert refusal("7 chars") == "PASSWORD_TOO_SHORT"
    assert refusal("🦉🦉🦉🦉🦉🦉🦉") == "PASSWORD_TOO_SHORT"


def test_length_is_bounded_in_bytes() -> None:
    assert refusal("x" * 1025) == "PASSWORD_TOO_LONG"
    assert refusal("ä" * 513) == "PASSWORD_TOO_LONG"
    check_password("ä" * 512, email=EMAIL, common=frozenset())


def test_a_lone_surrogate_is_no_text() -> None:
    assert refusal("\ud800" * 8) == "ENCODING"


@pytest.mark.parametrize(
    ("password", "email"),
    [
        ("alphintra2026!", EMAIL),
        ("my ALPHINTRA login", EMAIL),
        ("ada-1815-12-10", EMAIL),
        ("xxLOVELACExx", "lovelace@example.org"),
    ],
)
def test_words_of_the_context_are_refused(password: str, email: str) -> None:
    assert refusal(password, email=email) == "PASSWORD_CONTEXT"


def test_a_name_of_two_letters_is_no_word_of_the_context() -> None:
    check_password("a banal sentence", email="al@example.org", common=frozenset())


@pytest.mark.parametrize("password", ["12345678", "Password1", "QWERTYUIOP", "iloveyou", "letmein123", "Passw0rd!"])
def test_a_password_everybody_knows_is_refused(password: str) -> None:
    assert refusal(password, common=common_passwords()) == "PASSWORD_BREACHED"


def test_every_listed_password_would_pass_the_other_rules() -> None:
    listed = common_passwords()
    assert len(listed) > 500
    for password in listed:
        assert refusal(password, email="nobody-of-that-name@example.org", common=listed) == "PASSWORD_BREACHED"


def test_a_refused_address_or_password_is_not_repeated() -> None:
    typed = "correct horse alphintra"
    with pytest.raises(AlphintraError) as address:
        normalise_email(typed)
    with pytest.raises(AlphintraError) as password:
        check_password(typed, email=EMAIL, common=frozenset())
    assert "horse" not in str(address.value) + str(password.value)


@pytest.mark.parametrize("text", ["", "Owner", "root", "owner "])
def test_a_role_that_is_not_one_of_the_four_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError, match="ROLE_UNKNOWN"):
        parse_role(text)


def test_nobody_makes_somebody_above_themselves() -> None:
    everyone = set(Role)

    def granted(*roles: str, is_local_operator: bool = False) -> set[Role]:
        return {role for role in Role if may_grant(roles, role, is_local_operator=is_local_operator)}

    assert granted("owner") == everyone
    assert granted("operator", is_local_operator=True) == everyone
    assert granted("operator") == everyone - {Role.OWNER}
    assert granted("trader") == granted("viewer") == granted() == set()
