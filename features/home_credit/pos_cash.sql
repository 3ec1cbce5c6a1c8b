/*
description: Monthly states of earlier cash and consumer loans, how late they were paid and how much is left.
owner: home credit team
primary_keys: [SK_ID_CURR]
*/
{% from "macros.sql" import count, total, mean, largest, smallest, ratio, share %}
{# Windows end with the newest month that there is, which is -1: three are -1, -2 and -3. #}
{% set windows = [3, 12, 24] %}
{# Whether the first recorded month is the first of the loan: nothing had been paid yet. #}
{% set is_seen_from_start = "most_still_due >= longest_term" %}
WITH months AS (
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
        CAST(SK_ID_PREV AS BIGINT) AS SK_ID_PREV,
        CAST(MONTHS_BALANCE AS INT) AS month,
        NAME_CONTRACT_STATUS AS status,
        CAST(CNT_INSTALMENT AS INT) AS term,
        CAST(CNT_INSTALMENT_FUTURE AS INT) AS still_due,
        CAST(SK_DPD AS INT) AS late,
        CAST(SK_DPD_DEF AS INT) AS late_much
    FROM POS_CASH_balance
),
loans AS (
    SELECT
        SK_ID_CURR,
        SK_ID_PREV,
        COUNT(*) AS months,
        MIN(month) AS first_month,
        MAX(month) AS last_month,
        COUNT(*) FILTER (WHERE late > 0) AS months_late,
        COUNT(*) FILTER (WHERE late_much > 0) AS months_late_much,
        COUNT(*) FILTER (WHERE late > 30) AS months_late_over_30,
        SUM(late) AS days_late,
        SUM(late_much) AS days_late_much,
        MAX(late) AS worst,
        MAX(late_much) AS worst_much,
        MAX(month) FILTER (WHERE late > 0) AS last_late_month,
        MAX(month) FILTER (WHERE late_much > 0) AS last_late_much_month,
    {% for n in windows %}
        COUNT(*) FILTER (WHERE month >= -{{ n }}) AS months_last_{{ n }},
        COUNT(*) FILTER (WHERE late > 0 AND month >= -{{ n }}) AS months_late_last_{{ n }},
        MAX(late_much) FILTER (WHERE month >= -{{ n }}) AS worst_much_last_{{ n }},
    {% endfor %}
        MIN(month) FILTER (WHERE status = 'Completed') AS completed_month,
        MAX(CASE WHEN status IN ('Demand', 'Amortized debt') THEN 1 ELSE 0 END) AS is_demanded_or_amortized,
        MAX(CASE WHEN status IN ('Returned to the store', 'Canceled') THEN 1 ELSE 0 END) AS is_returned,
        MAX_BY(CASE WHEN status = 'Active' THEN 1 ELSE 0 END, month) AS is_active,
        MAX(term) AS longest_term,
        MIN(term) AS shortest_term,
        MAX(still_due) AS most_still_due,
        MAX_BY(term, month) FILTER (WHERE term IS NOT NULL) AS last_term,
        MAX_BY(still_due, month) FILTER (WHERE still_due IS NOT NULL) AS last_still_due,
        MAX_BY(late, month) AS last_late
    FROM months
    GROUP BY SK_ID_CURR, SK_ID_PREV
)
SELECT
    SK_ID_CURR,
    -- How many loans, since when
    {{ count() }} AS POS_LOANS,
    {{ total("months") }} AS POS_MONTHS,
    {{ mean("months") }} AS POS_MONTHS_PER_LOAN_MEAN,
    {{ smallest("first_month") }} AS POS_FIRST_MONTH_MIN,
    {{ largest("last_month") }} AS POS_LAST_MONTH_MAX,
{% for n in windows %}
    {{ total("months_last_" ~ n) }} AS POS_MONTHS_LAST_{{ n }}M,
{% endfor %}
    -- How they stand or ended
    {{ total("is_active") }} AS POS_LOANS_ACTIVE,
    {{ count("completed_month IS NOT NULL") }} AS POS_LOANS_COMPLETED,
    {{ count("completed_month >= -12") }} AS POS_LOANS_COMPLETED_LAST_12M,
    {{ total("is_demanded_or_amortized") }} AS POS_LOANS_DEMANDED_OR_AMORTIZED,
    {{ total("is_returned") }} AS POS_LOANS_RETURNED,
    {{ largest("completed_month") }} AS POS_COMPLETED_MONTH_MAX,
    {{ mean("completed_month - first_month", is_seen_from_start) }} AS POS_MONTHS_UNTIL_COMPLETED_MEAN,
    {{ mean("longest_term - (completed_month - first_month)", is_seen_from_start) }} AS POS_MONTHS_COMPLETED_EARLY_MEAN,
    -- Terms agreed, changed and still to pay
    {{ mean("longest_term") }} AS POS_TERM_MEAN,
    {{ largest("longest_term") }} AS POS_TERM_MAX,
    {{ smallest("shortest_term") }} AS POS_TERM_MIN,
    {{ mean("last_term", "is_active = 1") }} AS POS_ACTIVE_TERM_MEAN,
    {{ count("longest_term > shortest_term") }} AS POS_LOANS_TERM_CHANGED,
    {{ total("last_still_due", "is_active = 1") }} AS POS_STILL_DUE_SUM,
    {{ mean("last_still_due") }} AS POS_STILL_DUE_MEAN,
    {{ ratio(total("last_still_due", "is_active = 1"), total("last_term", "is_active = 1")) }} AS POS_STILL_DUE_SHARE,
    -- Months and days late; "much" leaves small amounts out
    {{ total("months_late") }} AS POS_MONTHS_LATE,
    {{ ratio("SUM(months_late)", "SUM(months)") }} AS POS_MONTHS_LATE_SHARE,
    {{ ratio("SUM(months_late_much)", "SUM(months)") }} AS POS_MONTHS_LATE_MUCH_SHARE,
    {{ total("months_late_over_30") }} AS POS_MONTHS_LATE_OVER_30D,
    {{ share("months_late > 0") }} AS POS_LOANS_LATE_SHARE,
    {{ share("months_late_much > 0") }} AS POS_LOANS_LATE_MUCH_SHARE,
    {{ ratio("SUM(days_late)", "SUM(months)") }} AS POS_DPD_MEAN,
    {{ ratio("SUM(days_late_much)", "SUM(months)") }} AS POS_DPD_DEF_MEAN,
    {{ largest("worst") }} AS POS_DPD_MAX,
    {{ largest("worst_much") }} AS POS_DPD_DEF_MAX,
    {{ largest("worst", "is_active = 1") }} AS POS_ACTIVE_DPD_MAX,
    {{ largest("last_late") }} AS POS_LAST_DPD_MAX,
    {{ largest("last_late_month") }} AS POS_LAST_LATE_MONTH,
    {{ largest("last_late_much_month") }} AS POS_LAST_LATE_MUCH_MONTH,
{% for n in windows %}
    {{ total("months_late_last_" ~ n) }} AS POS_MONTHS_LATE_LAST_{{ n }}M,
    {{ largest("worst_much_last_" ~ n) }} AS POS_DPD_DEF_MAX_LAST_{{ n }}M,
{% endfor %}
    {{ ratio("SUM(months_late_last_12)", "SUM(months_late)") }} AS POS_MONTHS_LATE_RECENT_TO_ALL
FROM loans
GROUP BY SK_ID_CURR
