/*
description: What an applicant owes at other lenders, of which kinds, and how it was paid.
owner: credit bureau team
primary_keys: [SK_ID_CURR]
slices: 4
*/
{% from "macros.sql" import count, total, mean, mean_ratio, largest, smallest, ratio, share %}
{% set kinds = [
    ("CONSUMER", "CREDIT_TYPE = 'Consumer credit'"),
    ("CARD", "CREDIT_TYPE = 'Credit card'"),
    ("CAR", "CREDIT_TYPE = 'Car loan'"),
    ("MORTGAGE", "CREDIT_TYPE = 'Mortgage'"),
    ("MICROLOAN", "CREDIT_TYPE = 'Microloan'"),
] %}
{% set common_kinds = kinds[:2] %}
{% set known_kinds = "CREDIT_TYPE IN ('Consumer credit', 'Credit card', 'Car loan', 'Mortgage', 'Microloan')" %}
{% set states = [("ACTIVE", "CREDIT_ACTIVE = 'Active'"), ("CLOSED", "CREDIT_ACTIVE = 'Closed'")] %}
{% set active = "CREDIT_ACTIVE = 'Active'" %}
WITH credits AS (
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
        CREDIT_ACTIVE,
        CREDIT_TYPE,
        CAST(DAYS_CREDIT AS BIGINT) AS opened,
        CAST(CREDIT_DAY_OVERDUE AS BIGINT) AS days_overdue,
        CAST(CNT_CREDIT_PROLONG AS BIGINT) AS prolonged,
        CAST(DAYS_CREDIT_UPDATE AS BIGINT) AS updated,
        CAST(DAYS_ENDDATE_FACT AS DOUBLE) AS closed,
        -- Cards without an end are said to end in a hundred years; some dates lie a century back.
        CASE WHEN CAST(DAYS_CREDIT_ENDDATE AS DOUBLE) BETWEEN -20000 AND 20000
            THEN CAST(DAYS_CREDIT_ENDDATE AS DOUBLE) END AS ends,
        CAST(AMT_CREDIT_SUM AS DOUBLE) AS credit,
        CAST(AMT_CREDIT_SUM_DEBT AS DOUBLE) AS debt,
        CAST(AMT_CREDIT_SUM_LIMIT AS DOUBLE) AS unused,
        CAST(AMT_CREDIT_SUM_OVERDUE AS DOUBLE) AS overdue,
        CAST(AMT_CREDIT_MAX_OVERDUE AS DOUBLE) AS worst_overdue,
        CAST(AMT_ANNUITY AS DOUBLE) AS annuity
    FROM bureau
)
SELECT
    SK_ID_CURR,
    -- How many credits, of which state and kind
    {{ count() }} AS BUREAU_CREDITS,
{% for state, is_state in states %}
    {{ count(is_state) }} AS BUREAU_CREDITS_{{ state }},
{% endfor %}
    {{ count("NOT CREDIT_ACTIVE IN ('Active', 'Closed')") }} AS BUREAU_CREDITS_SOLD_OR_BAD,
    {{ share(active) }} AS BUREAU_ACTIVE_SHARE,
{% for kind, is_kind in kinds %}
    {{ count(is_kind) }} AS BUREAU_CREDITS_{{ kind }},
{% endfor %}
{% for kind, is_kind in common_kinds %}
    {{ count(is_kind ~ " AND " ~ active) }} AS BUREAU_CREDITS_{{ kind }}_ACTIVE,
{% endfor %}
    {{ count("NOT " ~ known_kinds) }} AS BUREAU_CREDITS_OTHER_KIND,
    -- How many kinds there are among them
{% for kind, is_kind in kinds %}
    MAX(CASE WHEN {{ is_kind }} THEN 1 ELSE 0 END) +
{% endfor %}
    CAST(MAX(CASE WHEN {{ known_kinds }} THEN 0 ELSE 1 END) AS BIGINT) AS BUREAU_KINDS,
    -- When they were opened: newest, oldest, and in windows before the application
    {{ largest("opened") }} AS BUREAU_DAYS_CREDIT_MAX,
    {{ smallest("opened") }} AS BUREAU_DAYS_CREDIT_MIN,
    {{ mean("opened") }} AS BUREAU_DAYS_CREDIT_MEAN,
{% for state, is_state in states %}
    {{ largest("opened", is_state) }} AS BUREAU_{{ state }}_DAYS_CREDIT_MAX,
    {{ mean("opened", is_state) }} AS BUREAU_{{ state }}_DAYS_CREDIT_MEAN,
{% endfor %}
{% for kind, is_kind in common_kinds %}
    {{ largest("opened", is_kind) }} AS BUREAU_{{ kind }}_DAYS_CREDIT_MAX,
{% endfor %}
    {{ ratio("MAX(opened) - MIN(opened)", "COUNT(*) - 1") }} AS BUREAU_DAYS_BETWEEN_CREDITS,
{% for days in [90, 365, 730] %}
    {{ count("opened >= -" ~ days) }} AS BUREAU_CREDITS_LAST_{{ days }}D,
{% endfor %}
    {{ share("opened >= -365") }} AS BUREAU_CREDITS_LAST_365D_SHARE,
    {{ total("credit", "opened >= -365") }} AS BUREAU_CREDIT_SUM_LAST_365D,
    {{ total("debt", "opened >= -365") }} AS BUREAU_DEBT_SUM_LAST_365D,
    {{ total("debt", "opened >= -730") }} AS BUREAU_DEBT_SUM_LAST_730D,
    -- When they end or ended, when there was news of them
    {{ largest("ends", active) }} AS BUREAU_ACTIVE_DAYS_ENDDATE_MAX,
    {{ smallest("ends", active) }} AS BUREAU_ACTIVE_DAYS_ENDDATE_MIN,
    {{ mean("ends") }} AS BUREAU_DAYS_ENDDATE_MEAN,
    {{ count(active ~ " AND ends < 0") }} AS BUREAU_CREDITS_ACTIVE_AFTER_END,
    {{ largest("closed") }} AS BUREAU_DAYS_CLOSED_MAX,
    {{ mean("closed") }} AS BUREAU_DAYS_CLOSED_MEAN,
    {{ mean("ends - closed") }} AS BUREAU_DAYS_CLOSED_EARLY_MEAN,
    {{ smallest("ends - closed") }} AS BUREAU_DAYS_CLOSED_EARLY_MIN,
    {{ count("closed >= -365") }} AS BUREAU_CREDITS_CLOSED_LAST_365D,
    {{ mean("closed - opened") }} AS BUREAU_DAYS_OPEN_MEAN,
    {{ mean("ends - opened") }} AS BUREAU_DAYS_AGREED_MEAN,
    {{ largest("updated") }} AS BUREAU_DAYS_UPDATE_MAX,
    {{ mean("updated") }} AS BUREAU_DAYS_UPDATE_MEAN,
    {{ mean("updated", active) }} AS BUREAU_ACTIVE_DAYS_UPDATE_MEAN,
    -- Amounts lent
    {{ total("credit") }} AS BUREAU_CREDIT_SUM,
    {{ mean("credit") }} AS BUREAU_CREDIT_MEAN,
{% for state, is_state in states %}
    {{ total("credit", is_state) }} AS BUREAU_{{ state }}_CREDIT_SUM,
    {{ mean("credit", is_state) }} AS BUREAU_{{ state }}_CREDIT_MEAN,
{% endfor %}
{% for kind, is_kind in common_kinds %}
    {{ total("credit", is_kind) }} AS BUREAU_{{ kind }}_CREDIT_SUM,
{% endfor %}
    -- Debt, and its share of what was lent
    {{ total("debt") }} AS BUREAU_DEBT_SUM,
{% for kind, is_kind in kinds %}
    {{ total("debt", is_kind) }} AS BUREAU_{{ kind }}_DEBT_SUM,
{% endfor %}
{% for kind, is_kind in common_kinds %}
    {% set is_open = is_kind ~ " AND " ~ active %}
    {{ ratio(total("debt", is_open), total("credit", is_open)) }} AS BUREAU_{{ kind }}_DEBT_TO_CREDIT,
{% endfor %}
    {{ ratio(total("debt", active), total("credit", active)) }} AS BUREAU_DEBT_TO_CREDIT,
    {{ mean_ratio("debt / NULLIF(credit, 0)", active) }} AS BUREAU_DEBT_TO_CREDIT_MEAN,
    {{ total("unused", active) }} AS BUREAU_CARD_UNUSED_SUM,
    {{ ratio(total("debt", "unused > 0"), total("debt + unused", "unused > 0")) }} AS BUREAU_CARD_UTILISATION,
    -- Late payments
    {{ largest("days_overdue") }} AS BUREAU_DAYS_OVERDUE_MAX,
    {{ total("overdue") }} AS BUREAU_OVERDUE_SUM,
    {{ largest("worst_overdue") }} AS BUREAU_WORST_OVERDUE_MAX,
    {{ mean("worst_overdue") }} AS BUREAU_WORST_OVERDUE_MEAN,
    {{ largest("worst_overdue", active) }} AS BUREAU_ACTIVE_WORST_OVERDUE_MAX,
    {{ count("worst_overdue > 0") }} AS BUREAU_CREDITS_EVER_OVERDUE,
    {{ share("worst_overdue > 0", "worst_overdue IS NOT NULL") }} AS BUREAU_EVER_OVERDUE_SHARE,
    {{ largest("opened", "worst_overdue > 0") }} AS BUREAU_EVER_OVERDUE_DAYS_CREDIT_MAX,
    {{ mean_ratio("worst_overdue / NULLIF(credit, 0)") }} AS BUREAU_WORST_OVERDUE_TO_CREDIT_MEAN,
    {{ total("prolonged") }} AS BUREAU_PROLONGED_SUM,
    -- What is paid a month
    {{ total("annuity", active) }} AS BUREAU_ACTIVE_ANNUITY_SUM,
    {{ mean_ratio("annuity / NULLIF(credit, 0)", "annuity > 0") }} AS BUREAU_ANNUITY_TO_CREDIT_MEAN
FROM credits
GROUP BY SK_ID_CURR
