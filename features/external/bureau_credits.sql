/*
description: What an applicant owes at other lenders, of which kinds, and how it was paid.
owner: credit bureau team
primary_keys: [SK_ID_CURR]
slices: 2
*/
{% from "macros.sql" import amount, thousandths, count, total, mean, mean_ratio, largest, smallest, ratio, share %}
{% set kinds = [
    ("CONSUMER", "Consumer credit"),
    ("CARD", "Credit card"),
    ("CAR", "Car loan"),
    ("MORTGAGE", "Mortgage"),
    ("MICROLOAN", "Microloan"),
] %}
{% set common_kinds = ["CONSUMER", "CARD"] %}
{% set states = ["ACTIVE", "CLOSED"] %}
{% set known_kinds = "is_consumer OR is_card OR is_car OR is_mortgage OR is_microloan" %}
WITH credits AS (
    -- Amounts are in thousandths, as sums need them.
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
    {% for state in states %}
        CREDIT_ACTIVE = '{{ state | capitalize }}' AS is_{{ state | lower }},
    {% endfor %}
    {% for kind, name in kinds %}
        CREDIT_TYPE = '{{ name }}' AS is_{{ kind | lower }},
    {% endfor %}
        CAST(DAYS_CREDIT AS INT) AS opened,
        CAST(CREDIT_DAY_OVERDUE AS INT) AS days_overdue,
        CAST(CNT_CREDIT_PROLONG AS INT) AS prolonged,
        CAST(DAYS_CREDIT_UPDATE AS INT) AS updated,
        CAST(DAYS_ENDDATE_FACT AS INT) AS closed,
        -- Cards without an end are said to end in a hundred years; some dates lie a century back.
        CASE WHEN CAST(DAYS_CREDIT_ENDDATE AS INT) BETWEEN -20000 AND 20000
            THEN CAST(DAYS_CREDIT_ENDDATE AS INT) END AS ends,
        {{ thousandths("AMT_CREDIT_SUM") }} AS credit,
        {{ thousandths("AMT_CREDIT_SUM_DEBT") }} AS debt,
        -- Named a limit, it is what is left of one: with the debt it makes up the credit.
        {{ thousandths("AMT_CREDIT_SUM_LIMIT") }} AS unused,
        {{ thousandths("AMT_CREDIT_SUM_OVERDUE") }} AS overdue,
        {{ thousandths("AMT_CREDIT_MAX_OVERDUE") }} AS worst_overdue,
        {{ thousandths("AMT_ANNUITY") }} AS annuity
    FROM bureau
),
compared AS (
    SELECT
        *,
        -- Debt and credit of what is still open, where both are known
        CASE WHEN is_active AND credit IS NOT NULL THEN debt END AS owed,
        CASE WHEN is_active AND debt IS NOT NULL THEN credit END AS owed_of,
        -- Used and unused part of the cards that are still open, where both are known; a credit
        -- balance uses nothing, and what is drawn beyond the limit leaves nothing unused
        CASE WHEN is_active AND is_card AND unused IS NOT NULL AND debt IS NOT NULL
            THEN GREATEST(debt, 0) END AS card_used,
        CASE WHEN is_active AND is_card AND unused IS NOT NULL AND debt IS NOT NULL
            THEN GREATEST(debt, 0) + GREATEST(unused, 0) END AS card_limit,
        annuity / NULLIF(credit, 0) AS annuity_to_credit,
        worst_overdue / NULLIF(credit, 0) AS overdue_to_credit
    FROM credits
)
SELECT
    SK_ID_CURR,
    -- How many credits, of which state and kind
    {{ count() }} AS BUREAU_CREDITS,
{% for state in states %}
    {{ count("is_" ~ state | lower) }} AS BUREAU_CREDITS_{{ state }},
{% endfor %}
    {{ count("NOT (is_active OR is_closed)") }} AS BUREAU_CREDITS_SOLD_OR_BAD,
    {{ share("is_active") }} AS BUREAU_ACTIVE_SHARE,
{% for kind, _ in kinds %}
    {{ count("is_" ~ kind | lower) }} AS BUREAU_CREDITS_{{ kind }},
{% endfor %}
{% for kind in common_kinds %}
    {{ count("is_" ~ kind | lower ~ " AND is_active") }} AS BUREAU_CREDITS_{{ kind }}_ACTIVE,
{% endfor %}
    {{ count("NOT (" ~ known_kinds ~ ")") }} AS BUREAU_CREDITS_OTHER_KIND,
    -- How many kinds there are among them
{% for kind, _ in kinds %}
    CASE WHEN {{ count("is_" ~ kind | lower) }} > 0 THEN 1 ELSE 0 END +
{% endfor %}
    CAST(CASE WHEN {{ count("NOT (" ~ known_kinds ~ ")") }} > 0 THEN 1 ELSE 0 END AS BIGINT) AS BUREAU_KINDS,
    -- When they were opened: newest, oldest, and in windows before the application
    {{ largest("opened") }} AS BUREAU_DAYS_CREDIT_MAX,
    {{ smallest("opened") }} AS BUREAU_DAYS_CREDIT_MIN,
    {{ mean("opened") }} AS BUREAU_DAYS_CREDIT_MEAN,
{% for state in states %}
    {{ largest("opened", "is_" ~ state | lower) }} AS BUREAU_{{ state }}_DAYS_CREDIT_MAX,
    {{ mean("opened", "is_" ~ state | lower) }} AS BUREAU_{{ state }}_DAYS_CREDIT_MEAN,
{% endfor %}
{% for kind in common_kinds %}
    {{ largest("opened", "is_" ~ kind | lower) }} AS BUREAU_{{ kind }}_DAYS_CREDIT_MAX,
{% endfor %}
    {{ ratio("MAX(opened) - MIN(opened)", "COUNT(*) - 1") }} AS BUREAU_DAYS_BETWEEN_CREDITS,
{% for days in [90, 365, 730] %}
    {{ count("opened >= -" ~ days) }} AS BUREAU_CREDITS_LAST_{{ days }}D,
{% endfor %}
    {{ share("opened >= -365") }} AS BUREAU_CREDITS_LAST_365D_SHARE,
    {{ total("credit", "opened >= -365", unit=amount) }} AS BUREAU_CREDIT_SUM_LAST_365D,
    {{ total("debt", "opened >= -365", unit=amount) }} AS BUREAU_DEBT_SUM_LAST_365D,
    {{ total("debt", "opened >= -730", unit=amount) }} AS BUREAU_DEBT_SUM_LAST_730D,
    -- When they end or ended, when there was news of them
    {{ largest("ends", "is_active") }} AS BUREAU_ACTIVE_DAYS_ENDDATE_MAX,
    {{ smallest("ends", "is_active") }} AS BUREAU_ACTIVE_DAYS_ENDDATE_MIN,
    {{ mean("ends") }} AS BUREAU_DAYS_ENDDATE_MEAN,
    {{ count("is_active AND ends < 0") }} AS BUREAU_CREDITS_ACTIVE_AFTER_END,
    {{ largest("closed") }} AS BUREAU_DAYS_CLOSED_MAX,
    {{ mean("closed") }} AS BUREAU_DAYS_CLOSED_MEAN,
    {{ mean("ends - closed") }} AS BUREAU_DAYS_CLOSED_EARLY_MEAN,
    {{ smallest("ends - closed") }} AS BUREAU_DAYS_CLOSED_EARLY_MIN,
    {{ count("closed >= -365") }} AS BUREAU_CREDITS_CLOSED_LAST_365D,
    {{ mean("closed - opened") }} AS BUREAU_DAYS_OPEN_MEAN,
    {{ mean("ends - opened") }} AS BUREAU_DAYS_AGREED_MEAN,
    {{ largest("updated") }} AS BUREAU_DAYS_UPDATE_MAX,
    {{ mean("updated") }} AS BUREAU_DAYS_UPDATE_MEAN,
    {{ mean("updated", "is_active") }} AS BUREAU_ACTIVE_DAYS_UPDATE_MEAN,
    -- Amounts lent
    {{ total("credit", unit=amount) }} AS BUREAU_CREDIT_SUM,
    {{ mean("credit", unit=amount) }} AS BUREAU_CREDIT_MEAN,
{% for state in states %}
    {{ total("credit", "is_" ~ state | lower, unit=amount) }} AS BUREAU_{{ state }}_CREDIT_SUM,
    {{ mean("credit", "is_" ~ state | lower, unit=amount) }} AS BUREAU_{{ state }}_CREDIT_MEAN,
{% endfor %}
{% for kind in common_kinds %}
    {{ total("credit", "is_" ~ kind | lower, unit=amount) }} AS BUREAU_{{ kind }}_CREDIT_SUM,
{% endfor %}
    -- Debt, and its share of what was lent
    {{ total("debt", unit=amount) }} AS BUREAU_DEBT_SUM,
{% for kind, _ in kinds %}
    {{ total("debt", "is_" ~ kind | lower, unit=amount) }} AS BUREAU_{{ kind }}_DEBT_SUM,
{% endfor %}
{% for kind in common_kinds %}
    {% set is_kind = "is_" ~ kind | lower %}
    {{ ratio(total("owed", is_kind), total("owed_of", is_kind)) }} AS BUREAU_{{ kind }}_DEBT_TO_CREDIT,
{% endfor %}
    {{ ratio(total("owed"), total("owed_of")) }} AS BUREAU_DEBT_TO_CREDIT,
    {{ mean_ratio("owed / NULLIF(owed_of, 0)") }} AS BUREAU_DEBT_TO_CREDIT_MEAN,
    {{ total("unused", "is_active AND is_card", unit=amount) }} AS BUREAU_CARD_UNUSED_SUM,
    {{ ratio(total("card_used"), total("card_limit")) }} AS BUREAU_CARD_UTILISATION,
    -- Late payments
    {{ largest("days_overdue") }} AS BUREAU_DAYS_OVERDUE_MAX,
    {{ total("overdue", unit=amount) }} AS BUREAU_OVERDUE_SUM,
    {{ largest("worst_overdue", unit=amount) }} AS BUREAU_WORST_OVERDUE_MAX,
    {{ mean("worst_overdue", unit=amount) }} AS BUREAU_WORST_OVERDUE_MEAN,
    {{ largest("worst_overdue", "is_active", unit=amount) }} AS BUREAU_ACTIVE_WORST_OVERDUE_MAX,
    {{ count("worst_overdue > 0") }} AS BUREAU_CREDITS_EVER_OVERDUE,
    {{ share("worst_overdue > 0", "worst_overdue IS NOT NULL") }} AS BUREAU_EVER_OVERDUE_SHARE,
    {{ largest("opened", "worst_overdue > 0") }} AS BUREAU_EVER_OVERDUE_DAYS_CREDIT_MAX,
    {{ mean_ratio("overdue_to_credit") }} AS BUREAU_WORST_OVERDUE_TO_CREDIT_MEAN,
    {{ total("prolonged") }} AS BUREAU_PROLONGED_SUM,
    -- What is paid a month
    {{ total("annuity", "is_active", unit=amount) }} AS BUREAU_ACTIVE_ANNUITY_SUM,
    {{ mean_ratio("annuity_to_credit", "annuity > 0") }} AS BUREAU_ANNUITY_TO_CREDIT_MEAN
FROM compared
GROUP BY SK_ID_CURR
