/*
description: Payments of earlier loans and cards at Home Credit, how late and how complete they were.
owner: home credit team
primary_keys: [SK_ID_CURR]
slices: 3
*/
{% from "macros.sql" import amount, thousandths, count, total, mean, largest, smallest, ratio, share %}
{% set windows = [90, 365, 730] %}
{% set kinds = [("LOAN", "NOT is_card"), ("CARD", "is_card")] %}
WITH payments AS (
    -- Amounts are in thousandths, as sums need them.
    SELECT
        CAST(SK_ID_CURR AS INT) AS SK_ID_CURR,
        CAST(SK_ID_PREV AS INT) AS SK_ID_PREV,
        CAST(FLOOR(NUM_INSTALMENT_VERSION) AS INT) AS version,
        CAST(NUM_INSTALMENT_NUMBER AS INT) AS number,
        CAST(DAYS_INSTALMENT AS INT) AS due_day,
        CAST(DAYS_ENTRY_PAYMENT AS INT) AS paid_day,
        {{ thousandths("AMT_INSTALMENT") }} AS due,
        {{ thousandths("AMT_PAYMENT") }} AS paid
    FROM installments_payments
),
-- An instalment that was paid in parts has a row for each part.
whole_instalments AS (
    SELECT
        SK_ID_CURR,
        version,
        number,
        MAX(due_day) AS due_day,
        MAX(paid_day) AS paid_day,
        MAX(due) AS due,
        COALESCE(SUM(paid), 0) AS paid,
        COUNT(*) AS parts
    FROM payments
    GROUP BY SK_ID_CURR, SK_ID_PREV, version, number
),
instalments AS (
    -- What was never paid is as late as can be seen: until the application, on day 0.
    SELECT
        *,
        version = 0 AS is_card,
        CASE WHEN due_day IS NOT NULL THEN GREATEST(COALESCE(paid_day, 0) - due_day, 0) END AS late,
        CASE WHEN due_day IS NOT NULL THEN GREATEST(due_day - COALESCE(paid_day, 0), 0) END AS early,
        GREATEST(due - paid, 0) AS short
    FROM whole_instalments
)
SELECT
    CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
    -- How many, when, how much
    {{ count() }} AS INST_INSTALMENTS,
{% for kind, is_kind in kinds %}
    {{ count(is_kind) }} AS INST_{{ kind }}_INSTALMENTS,
{% endfor %}
    {{ smallest("due_day") }} AS INST_DAYS_DUE_MIN,
    {{ largest("paid_day") }} AS INST_DAYS_PAID_MAX,
    {{ mean("paid_day") }} AS INST_DAYS_PAID_MEAN,
    {{ share("version > 1", "NOT is_card") }} AS INST_CHANGED_SHARE,
    {{ largest("number", "NOT is_card") }} AS INST_NUMBER_MAX,
    {{ share("parts > 1") }} AS INST_IN_PARTS_SHARE,
    {{ total("due", unit=amount) }} AS INST_DUE_SUM,
    {{ mean("due", unit=amount) }} AS INST_DUE_MEAN,
    {{ largest("due", unit=amount) }} AS INST_DUE_MAX,
    {{ smallest("paid", unit=amount) }} AS INST_PAID_MIN,
    -- Late and early
    {{ mean("late") }} AS INST_DAYS_LATE_MEAN,
    {{ largest("late") }} AS INST_DAYS_LATE_MAX,
    {{ mean("early") }} AS INST_DAYS_EARLY_MEAN,
    {{ largest("early") }} AS INST_DAYS_EARLY_MAX,
{% for days in [0, 7, 30] %}
    {{ count("late > " ~ days) }} AS INST_LATE_OVER_{{ days }}D,
{% endfor %}
    {{ share("late > 0") }} AS INST_LATE_SHARE,
    {{ share("late > 7") }} AS INST_LATE_OVER_7D_SHARE,
    {{ ratio(total("due", "late > 0"), total("due")) }} AS INST_LATE_AMOUNT_SHARE,
    {{ largest("due_day", "late > 0") }} AS INST_LAST_LATE_DAY,
    {{ largest("due_day", "late > 7") }} AS INST_LAST_LATE_OVER_7D_DAY,
    {{ share("late > 0", "number <= 3 AND NOT is_card") }} AS INST_LATE_SHARE_OF_FIRST_3,
    -- Not paid in full
    {{ share("short > 0") }} AS INST_UNDERPAID_SHARE,
    {{ total("short", unit=amount) }} AS INST_SHORT_SUM,
    {{ ratio(total("paid"), total("due")) }} AS INST_PAID_TO_DUE,
    {{ smallest("paid / NULLIF(due, 0)") }} AS INST_PAID_TO_DUE_MIN,
    {{ share("paid > due") }} AS INST_OVERPAID_SHARE,
    {{ largest("due_day", "short > 0") }} AS INST_LAST_UNDERPAID_DAY,
    -- Loans and cards apart
{% for kind, is_kind in kinds %}
    {{ mean("late", is_kind) }} AS INST_{{ kind }}_DAYS_LATE_MEAN,
    {{ share("late > 0", is_kind) }} AS INST_{{ kind }}_LATE_SHARE,
    {{ share("short > 0", is_kind) }} AS INST_{{ kind }}_UNDERPAID_SHARE,
    {{ mean("paid", is_kind, unit=amount) }} AS INST_{{ kind }}_PAID_MEAN,
{% endfor %}
    -- Windows before the application, and the trend against the whole history
{% for days in windows %}
    {{ count("due_day >= -" ~ days) }} AS INST_INSTALMENTS_LAST_{{ days }}D,
    {{ share("late > 0", "due_day >= -" ~ days) }} AS INST_LATE_SHARE_LAST_{{ days }}D,
    {{ largest("late", "due_day >= -" ~ days) }} AS INST_DAYS_LATE_MAX_LAST_{{ days }}D,
    {{ share("short > 0", "due_day >= -" ~ days) }} AS INST_UNDERPAID_SHARE_LAST_{{ days }}D,
    {{ total("due", "due_day >= -" ~ days, unit=amount) }} AS INST_DUE_SUM_LAST_{{ days }}D,
{% endfor %}
    {{ mean("late", "due_day >= -365") }} AS INST_DAYS_LATE_MEAN_LAST_365D,
    {{ ratio(mean("late", "due_day >= -365"), mean("late")) }} AS INST_DAYS_LATE_LAST_365D_TO_ALL,
    {{ ratio(mean("due", "due_day >= -365"), mean("due")) }} AS INST_DUE_LAST_365D_TO_ALL
FROM instalments
GROUP BY SK_ID_CURR
