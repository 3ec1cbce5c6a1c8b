"""A model card's words are read, or all that keeps them from being read is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.config.model_card_schema import ModelCardText, load_model_card
from mlrecipes.errors import ConfigError

ROOT = Path(__file__).parents[2]
PARTS = (
    "purpose",
    "owner",
    "tier",
    "intended_use",
    "out_of_scope_use",
    "population",
    "limits",
    "ethical_considerations",
    "monitoring_plan",
    "approvals",
)


def written(root: Path, text: str) -> Path:
    (root / "model_card.yaml").write_text(text, encoding="utf-8")
    return root


def whole(**other: str) -> str:
    words = dict.fromkeys(PARTS, "Some words.") | other
    return "".join(f"{part}: {text}\n" for part, text in words.items())


def test_a_recipe_without_the_file_has_no_card(tmp_path: Path) -> None:
    assert load_model_card(tmp_path) is None


def test_a_part_is_a_text_or_a_list_of_texts(tmp_path: Path) -> None:
    card = load_model_card(written(tmp_path, whole(limits="[One., Two.]")))
    assert card is not None
    assert (card.purpose, card.limits) == (("Some words.",), ("One.", "Two."))
    assert card.target_meaning is None


def test_all_missing_parts_are_told_at_once_with_what_they_are_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="10 problems") as caught:
        load_model_card(written(tmp_path, "# nothing yet\n"))
    assert [problem.key for problem in caught.value.problems] == list(PARTS)
    assert "model_card.yaml: owner is missing. Say: Who answers for the model" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["TODO", "tbd", "'...'", "…", "'-'", "'TODO: ask Ann'", "<your name>", "'  '", "[x, TBD]"],
)
def test_a_placeholder_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"^model_card\.yaml:2: owner\S* is ") as caught:
        load_model_card(written(tmp_path, whole(owner=text)))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("text", ["", "[]", "null"])
def test_nothing_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"model_card\.yaml:7: limits is empty"):
        load_model_card(written(tmp_path, whole(limits=text)))


@pytest.mark.parametrize("text", ["None, it is not in use.", "Todos los clientes.", "x", "日本"])
def test_words_that_only_look_like_a_placeholder_are_words(tmp_path: Path, text: str) -> None:
    card = load_model_card(written(tmp_path, whole(population=f"'{text}'")))
    assert card is not None
    assert card.population == (text,)


def test_an_unknown_part_gets_a_suggestion(tmp_path: Path) -> None:
    told = r"model_card\.yaml:11: limit is not a key of a model card\. Did you mean 'limits'\?"
    with pytest.raises(ConfigError, match=told):
        load_model_card(written(tmp_path, whole() + "limit: none\n"))


def test_a_value_that_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model_card\.yaml:3: tier.* is '1', but text"):
        load_model_card(written(tmp_path, whole(tier="[1]")))


def test_a_text_that_a_card_would_cut_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tier has 4,001 characters; write a list"):
        load_model_card(written(tmp_path, whole(tier="x" * 4_001)))


@pytest.mark.parametrize("text", ["- a list\n", "purpose: [\n", "a: 1\na: 2\n"])
def test_what_is_no_mapping_or_no_yaml_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"model_card\.yaml:\d"):
        load_model_card(written(tmp_path, text))


@pytest.mark.parametrize("folder", [".", "recipes/loss_given_default"])
def test_the_cards_of_this_repository_are_whole(folder: str) -> None:
    assert load_model_card(ROOT / folder) is not None


@given(st.sampled_from(PARTS), st.text(max_size=30))
def test_a_card_is_read_or_refused_whatever_somebody_writes(part: str, text: str) -> None:
    words = dict.fromkeys(PARTS, "Words.") | {part: text}
    try:
        card = ModelCardText.model_validate(words)
    except ValueError:
        return
    assert any(char.isalnum() for char in getattr(card, part)[0])
