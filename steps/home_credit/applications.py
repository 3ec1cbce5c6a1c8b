"""The application table of a chunk: measured marginals, then the rules between columns."""

from __future__ import annotations

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.columns import Coded, Column, coded
from steps.home_credit.housing import make_housing
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    blank,
    from_quantiles,
    pick,
    take,
    to_multiple,
)
from steps.home_credit.profile import load_applications

NO_DATE = 365_243
INCOME_STEP = 4_500.0
GOODS_STEP = 4_500.0
CREDIT_STEP = 4.5
REVOLVING_ANNUITY = 0.05
YOUNGEST_WORKER_DAYS = 6_560
ENQUIRIES = ("HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR")
PARTNERS = ("Married", "Civil marriage")
SUM_DOCUMENTS = range(2, 22)
#: Shares of rows in which a rule of thumb does not hold, as measured.
GOODS_ABOVE_CREDIT = 0.0008
ODD_INCOME = 0.0255
RATING_TWO_APART, WORST_RATING = 0.0022, 3
SECOND_DOCUMENT = 0.0226
SECOND_DOCUMENTS = {16: 0.5, 18: 0.25, 14: 0.1, 13: 0.1, 19: 0.05}
WORKER_WITHOUT_PHONE = 8e-5
CIRCLE_MISSING = 0.0033
OBS_60_LOWER = 0.006
LATER_THAN_60 = 0.73
RARE_MISSING = {
    "AMT_ANNUITY": 3.9e-05,
    "AMT_GOODS_PRICE": 9.04e-04,
    "DAYS_LAST_PHONE_CHANGE": 3e-06,
}


class _Draws:
    """Columns of one chunk straight from their measured marginals."""

    def __init__(self, people: Applicants) -> None:
        self.people = people
        self.order = load_applications()["values"]

    def amount(self, name: str) -> FloatArray:
        return from_quantiles(self.people.uniforms[name], self.people.marginals[name]["quantiles"])

    def days(self, name: str) -> FloatArray:
        return np.rint(self.amount(name))

    def codes(self, name: str) -> IntArray:
        return pick(self.people.uniforms[name], self.people.marginals[name]["shares"])

    def number(self, name: str) -> FloatArray:
        return take(self.order[name], self.codes(name))

    def text(self, name: str) -> Coded:
        return coded(self.codes(name), self.order[name])


def make_application(people: Applicants, rng: np.random.Generator) -> dict[str, Column]:
    """All columns of application_train (TARGET included) for the applicants, unordered."""
    draws = _Draws(people)
    columns: dict[str, Column] = {"SK_ID_CURR": people.ids, "TARGET": people.target}
    plain = load_applications()["plain"]
    columns |= {name: draws.number(name) for name in plain["numbers"]}
    columns |= {name: draws.text(name) for name in plain["texts"]}
    columns |= {name: draws.days(name) for name in plain["days"]}
    columns |= _money(draws, rng)
    columns |= _work(draws, rng)
    columns |= _family(draws, columns)
    columns |= _region(columns, draws, rng)
    columns |= _scores(draws)
    columns |= make_housing(people, rng)
    columns |= _social_circle(draws, rng)
    columns |= _documents(draws, rng)
    columns |= _enquiries(draws)
    return _drop_rare(columns, rng)


def _money(draws: _Draws, rng: np.random.Generator) -> dict[str, Column]:
    income = draws.amount("AMT_INCOME_TOTAL")
    is_odd = rng.random(len(income)) < ODD_INCOME
    income = np.where(is_odd, to_multiple(income, 450) + 45, to_multiple(income, INCOME_STEP))
    contract = draws.text("NAME_CONTRACT_TYPE")
    is_card = contract.is_in("Revolving loans")
    wanted = draws.amount("AMT_CREDIT")
    goods = np.maximum(
        GOODS_STEP * np.floor(wanted * draws.amount("GOODS_SHARE") / GOODS_STEP), 40_500
    )
    goods = np.where(is_card, to_multiple(wanted, 45_000).clip(45_000), goods)
    no_fee = is_card | (draws.amount("GOODS_SHARE") > 1 - 1e-9)
    credit = np.where(no_fee, goods, np.maximum(to_multiple(wanted, CREDIT_STEP), goods))
    annuity = to_multiple(credit * draws.amount("ANNUITY_SHARE"), CREDIT_STEP)
    annuity = np.where(is_card, credit * REVOLVING_ANNUITY, annuity)
    above = rng.random(len(goods)) < GOODS_ABOVE_CREDIT
    return {
        "AMT_INCOME_TOTAL": np.maximum(income, 25_650),
        "NAME_CONTRACT_TYPE": contract,
        "AMT_CREDIT": credit,
        "AMT_GOODS_PRICE": np.where(above, credit + 45_000, goods),
        "AMT_ANNUITY": annuity,
    }


def _work(draws: _Draws, rng: np.random.Generator) -> dict[str, Column]:
    income_type = draws.text("NAME_INCOME_TYPE")
    is_idle = income_type.is_in("Pensioner", "Unemployed")
    birth = draws.days("DAYS_BIRTH")
    employed = np.maximum(draws.days("DAYS_EMPLOYED"), birth + YOUNGEST_WORKER_DAYS).clip(max=-1)
    has_phone = ~is_idle & (rng.random(len(birth)) >= WORKER_WITHOUT_PHONE)
    return {
        "NAME_INCOME_TYPE": income_type,
        "DAYS_BIRTH": birth,
        "DAYS_EMPLOYED": np.where(is_idle, NO_DATE, employed),
        "OCCUPATION_TYPE": draws.text("OCCUPATION_TYPE").but(is_idle, None),
        "ORGANIZATION_TYPE": draws.text("ORGANIZATION_TYPE").but(is_idle, "XNA"),
        "FLAG_EMP_PHONE": has_phone.astype(np.int64),
    }


def _family(draws: _Draws, columns: dict[str, Column]) -> dict[str, Column]:
    status = columns["NAME_FAMILY_STATUS"]
    children = columns["CNT_CHILDREN"]
    car = columns["FLAG_OWN_CAR"]
    if not (
        isinstance(status, Coded) and isinstance(car, Coded) and isinstance(children, np.ndarray)
    ):
        raise TypeError(
            "NAME_FAMILY_STATUS and FLAG_OWN_CAR are strings, CNT_CHILDREN is a number."
        )
    adults = 1.0 + status.is_in(*PARTNERS)
    members = blank(children.astype(np.float64) + adults, status.is_in("Unknown"))
    return {
        "CNT_FAM_MEMBERS": members,
        "OWN_CAR_AGE": blank(draws.days("OWN_CAR_AGE"), car.is_in("N")),
        "FLAG_MOBIL": np.ones(len(members), dtype=np.int64),
    }


def _region(
    columns: dict[str, Column], draws: _Draws, rng: np.random.Generator
) -> dict[str, Column]:
    rating = draws.number("REGION_RATING_CLIENT")
    with_city = np.clip(draws.number("REGION_RATING_CLIENT_W_CITY"), rating - 1, rating)
    two_apart = (rating == WORST_RATING) & (rng.random(len(rating)) < RATING_TWO_APART / 0.155)
    return {
        "REGION_RATING_CLIENT": rating,
        "REGION_RATING_CLIENT_W_CITY": np.where(two_apart, 1, with_city),
        "REGION_POPULATION_RELATIVE": draws.amount("REGION_POPULATION_RELATIVE").round(6),
    }


def _scores(draws: _Draws) -> dict[str, Column]:
    names = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
    return {
        name: blank(draws.amount(name).round(12), draws.people.is_missing(name)) for name in names
    }


def _social_circle(draws: _Draws, rng: np.random.Generator) -> dict[str, Column]:
    seen = draws.number("OBS_30_CNT_SOCIAL_CIRCLE")
    seen_60 = seen - ((seen > 0) & (rng.random(len(seen)) < OBS_60_LOWER))
    late = np.minimum(draws.number("DEF_30_CNT_SOCIAL_CIRCLE"), seen)
    late_60 = np.minimum(rng.binomial(late.astype(np.int64), LATER_THAN_60), seen_60)
    columns = {"OBS_30": seen, "DEF_30": late, "OBS_60": seen_60, "DEF_60": late_60}
    unknown = rng.random(len(seen)) < CIRCLE_MISSING
    return {f"{name}_CNT_SOCIAL_CIRCLE": blank(v, unknown) for name, v in columns.items()}


def _documents(draws: _Draws, rng: np.random.Generator) -> dict[str, Column]:
    main = draws.number("MAIN_DOCUMENT")
    extra = rng.choice(list(SECOND_DOCUMENTS), len(main), p=list(SECOND_DOCUMENTS.values()))
    has_extra = (main > 0) & (rng.random(len(main)) < SECOND_DOCUMENT / 0.9)
    flags = {n: (main == n) | (has_extra & (extra == n)) for n in SUM_DOCUMENTS}
    return {f"FLAG_DOCUMENT_{n}": flag.astype(np.int64) for n, flag in flags.items()}


def _enquiries(draws: _Draws) -> dict[str, Column]:
    unknown = draws.people.is_missing("AMT_REQ_CREDIT_BUREAU_YEAR")
    names = [f"AMT_REQ_CREDIT_BUREAU_{span}" for span in ENQUIRIES]
    return {name: blank(draws.number(name), unknown) for name in names}


def _drop_rare(columns: dict[str, Column], rng: np.random.Generator) -> dict[str, Column]:
    for name, share in RARE_MISSING.items():
        column = columns[name]
        if isinstance(column, np.ndarray):
            lost: BoolArray = rng.random(len(column)) < share
            columns[name] = blank(column.astype(np.float64), lost)
    return columns
