/*
description: How an applicant's credits at other lenders were paid, month by month.
owner: credit bureau team
primary_keys: [SK_ID_CURR]
*/
{% from "macros.sql" import count, total, mean, largest, smallest, ratio, share %}
{% set windows = [3, 12, 24] %}
{# Windows end with the newest month that there may be, which is 0: three are 0, -1 and -2. #}
{% macro last(n) %}month > -{{ n }}{% endmacro %}
{# The share of the applicant's months for which something was counted in every credit. #}
{% macro share_of(counted, months="months") -%}
{{ ratio("SUM(" ~ counted ~ ")", "SUM(" ~ months ~ ")") }}
{%- endmacro %}
WITH months AS (
    -- Late is 1 (up to 30 days) to 5 (over 120 days, sold or written off).
    -- Not late are 0, C (closed, here -1) and X (unknown, here -2).
    SELECT
        CAST(SK_ID_BUREAU AS BIGINT) AS SK_ID_BUREAU,
        CAST(MONTHS_BALANCE AS INT) AS month,
        CASE STATUS
            WHEN 'C' THEN -1 WHEN '0' THEN 0
            WHEN '1' THEN 1 WHEN '2' THEN 2 WHEN '3' THEN 3 WHEN '4' THEN 4 WHEN '5' THEN 5
            ELSE -2
        END AS status
    FROM bureau_balance
),
graded AS (
    SELECT *, CASE WHEN status > 0 THEN status ELSE 0 END AS late FROM months
),
credits AS (
    SELECT
        SK_ID_BUREAU,
        COUNT(*) AS months,
        COUNT(*) FILTER (WHERE status = -1) AS months_closed,
        COUNT(*) FILTER (WHERE status = -2) AS months_unknown,
        COUNT(*) FILTER (WHERE late > 0) AS months_late,
        COUNT(*) FILTER (WHERE late > 1) AS months_late_over_30,
    {% for n in windows %}
        COUNT(*) FILTER (WHERE late > 0 AND {{ last(n) }}) AS months_late_last_{{ n }},
        MAX(late) FILTER (WHERE {{ last(n) }}) AS worst_last_{{ n }},
    {% endfor %}
        COUNT(*) FILTER (WHERE {{ last(12) }}) AS months_last_12,
        MAX(late) AS worst,
        SUM(late) AS severity,
        MIN(month) AS first_month,
        MAX(month) AS last_month,
        MAX(month) FILTER (WHERE late > 0) AS last_late_month,
        MIN(month) FILTER (WHERE late > 0) AS first_late_month,
        MAX(month) FILTER (WHERE status >= 0) AS last_open_month,
        MIN(month) FILTER (WHERE status = -1) AS closing_month,
        MAX_BY(status, month) AS last_status
    FROM graded
    GROUP BY SK_ID_BUREAU
),
owned AS (
    SELECT CAST(bureau.SK_ID_CURR AS BIGINT) AS SK_ID_CURR, bureau.CREDIT_ACTIVE, bureau.CREDIT_TYPE, credits.*
    FROM credits
    INNER JOIN bureau ON CAST(bureau.SK_ID_BUREAU AS BIGINT) = credits.SK_ID_BUREAU
)
SELECT
    SK_ID_CURR,
    -- How much history there is
    {{ count() }} AS BUREAU_MONTHS_CREDITS,
    {{ total("months") }} AS BUREAU_MONTHS_TOTAL,
    {{ mean("months") }} AS BUREAU_MONTHS_PER_CREDIT_MEAN,
    {{ smallest("first_month") }} AS BUREAU_MONTHS_FIRST_MIN,
    {{ largest("last_month") }} AS BUREAU_MONTHS_LAST_MAX,
    {{ largest("last_open_month") }} AS BUREAU_MONTHS_LAST_OPEN_MAX,
    {{ mean("closing_month - first_month") }} AS BUREAU_MONTHS_UNTIL_CLOSED_MEAN,
    {{ share_of("months_closed") }} AS BUREAU_MONTHS_CLOSED_SHARE,
    {{ share_of("months_unknown") }} AS BUREAU_MONTHS_UNKNOWN_SHARE,
    {{ share("last_status = -2") }} AS BUREAU_MONTHS_UNKNOWN_AT_LAST_SHARE,
    -- Months with a late payment
    {{ total("months_late") }} AS BUREAU_MONTHS_LATE,
    {{ share_of("months_late") }} AS BUREAU_MONTHS_LATE_SHARE,
    {{ share_of("months_late", "months - months_closed - months_unknown") }} AS BUREAU_MONTHS_LATE_SHARE_OF_OPEN,
    {{ total("months_late_over_30") }} AS BUREAU_MONTHS_LATE_OVER_30D,
    {{ share("months_late > 0") }} AS BUREAU_MONTHS_CREDITS_LATE_SHARE,
    {{ count("worst = 5") }} AS BUREAU_MONTHS_CREDITS_OVER_120D_OR_WRITTEN_OFF,
{% for n in windows %}
    {{ total("months_late_last_" ~ n) }} AS BUREAU_MONTHS_LATE_LAST_{{ n }}M,
    {{ largest("worst_last_" ~ n) }} AS BUREAU_MONTHS_WORST_LAST_{{ n }}M,
{% endfor %}
    {{ share_of("months_late_last_12", "months_last_12") }} AS BUREAU_MONTHS_LATE_SHARE_LAST_12M,
    {{ ratio("SUM(months_late_last_12)", "SUM(months_late)") }} AS BUREAU_MONTHS_LATE_RECENT_TO_ALL,
    -- How late, and when
    {{ largest("worst") }} AS BUREAU_MONTHS_WORST,
    {{ share_of("severity") }} AS BUREAU_MONTHS_SEVERITY_MEAN,
    {{ largest("last_late_month") }} AS BUREAU_MONTHS_LAST_LATE_MAX,
    {{ mean("first_late_month - first_month") }} AS BUREAU_MONTHS_UNTIL_LATE_MEAN,
    -- The same by state and kind of credit
{% for state in ["Active", "Closed"] %}
    {{ total("months_late", "CREDIT_ACTIVE = '" ~ state ~ "'") }} AS BUREAU_MONTHS_{{ state | upper }}_LATE,
    {{ total("months", "CREDIT_ACTIVE = '" ~ state ~ "'") }} AS BUREAU_MONTHS_{{ state | upper }}_TOTAL,
{% endfor %}
{% for kind, name in [("CARD", "Credit card"), ("CONSUMER", "Consumer credit")] %}
    {{ total("months_late", "CREDIT_TYPE = '" ~ name ~ "'") }} AS BUREAU_MONTHS_{{ kind }}_LATE,
{% endfor %}
    {{ mean("GREATEST(last_status, 0)") }} AS BUREAU_MONTHS_LAST_STATUS_MEAN
FROM owned
GROUP BY SK_ID_CURR
