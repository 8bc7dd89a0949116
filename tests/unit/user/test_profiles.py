"""What a person may set in a profile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.user.domain import Changes, Profile, apply_changes, new_profile

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
ZONES = frozenset({"UTC", "Europe/Berlin"})


def a_profile() -> Profile:
    return new_profile(UserId(UUID(int=1)), "ada.lovelace@example.org", at=AT)


def changed(**changes: Any) -> Profile:  # noqa: ANN401 - whatever a person sends
    return apply_changes(a_profile(), Changes(**{"version": 1, **changes}), time_zones=ZONES, at=LATER)


def refusal(**changes: Any) -> tuple[str, str]:  # noqa: ANN401 - as above
    with pytest.raises(AlphintraError) as caught:
        changed(**changes)
    return caught.value.code, caught.value.pointer


def test_a_person_starts_under_the_name_of_the_address() -> None:
    profile = a_profile()
    assert (profile.display_name, profile.locale, profile.time_zone) == ("ada.lovelace", "en", "UTC")
    assert (profile.preferences, profile.version, profile.updated_at) == ((), 1, AT)


def test_what_is_given_changes_and_the_rest_stays() -> None:
    profile = changed(display_name="Ada 🦉", locale="de-AT", time_zone="Europe/Berlin")
    assert (profile.display_name, profile.locale, profile.time_zone) == ("Ada 🦉", "de-AT", "Europe/Berlin")
    assert (profile.email, profile.preferences) == ("ada.lovelace@example.org", ())
    assert (profile.version, profile.updated_at) == (2, LATER)
    assert changed().display_name == "ada.lovelace"


def test_preferences_are_replaced_as_a_whole_and_may_be_none() -> None:
    assert changed(preferences=(("theme", "dark"),)).preferences == (("theme", "dark"),)
    assert changed(preferences=()).preferences == ()


@pytest.mark.parametrize("version", [0, 2, -1])
def test_a_version_that_is_not_the_last_read_is_a_conflict(version: int) -> None:
    with pytest.raises(AlphintraError) as caught:
        changed(version=version, display_name="Ada")
    assert (caught.value.code, caught.value.kind) == ("VERSION_CONFLICT", Kind.CONFLICT)


@pytest.mark.parametrize("name", ["", " ", "\t", "x" * 81])
def test_a_name_of_no_or_too_many_characters_is_refused(name: str) -> None:
    assert refusal(display_name=name) == ("FIELD_LENGTH", "/display_name")


@pytest.mark.parametrize("hidden", ["\0", "\n", "\x1b", "\u200b", "\u202e", "\u2028", "\u2029", "\ud800", "\ue000"])
def test_control_and_invisible_characters_are_refused(hidden: str) -> None:
    assert refusal(display_name=f"Ada{hidden}Lovelace") == ("FIELD_CHARS", "/display_name")
    assert refusal(preferences=((f"a{hidden}b", "x"),)) == ("FIELD_CHARS", "/preferences")
    assert refusal(preferences=(("theme", f"a{hidden}b"),)) == ("FIELD_CHARS", "/preferences/theme")


@pytest.mark.parametrize("locale", ["en", "de-AT", "zh-Hant-TW", "es-419", "gsw"])
def test_a_locale_is_a_language_with_script_and_region(locale: str) -> None:
    assert changed(locale=locale).locale == locale


@pytest.mark.parametrize("locale", ["", "e", "EN", "en_US", "en-us", "english", "en-US\n", "../etc", "x" * 200])
def test_what_is_no_locale_is_refused(locale: str) -> None:
    assert refusal(locale=locale) == ("FIELD_VALUE", "/locale")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "europe/berlin", "../../etc/passwd", "UTC\0"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    assert refusal(time_zone=zone) == ("FIELD_VALUE", "/time_zone")


def test_the_pointer_to_a_preference_is_escaped() -> None:
    assert refusal(preferences=(("chart/~zoom", ""),)) == ("FIELD_LENGTH", "/preferences/chart~1~0zoom")


def test_preferences_are_bounded_in_number_and_size() -> None:
    def many(count: int) -> tuple[tuple[str, str], ...]:
        return tuple((f"name{n}", "x") for n in range(count))

    assert len(changed(preferences=many(100)).preferences) == 100
    assert refusal(preferences=many(101)) == ("FIELD_LENGTH", "/preferences")
    assert changed(preferences=(("n" * 200, "v" * 200),)).version == 2
    assert refusal(preferences=(("n" * 201, "v"),)) == ("FIELD_LENGTH", "/preferences")
    assert refusal(preferences=(("n", "v" * 201),)) == ("FIELD_LENGTH", "/preferences/n")
