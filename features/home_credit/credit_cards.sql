/*
description: Monthly states of earlier credit cards, what was drawn, owed and paid back.
owner: home credit team
primary_keys: [SK_ID_CURR]
*/
{% from "macros.sql" import amount, thousandths, millionths, count, total, largest, smallest, ratio %}
{# Windows end with the newest month that there is, which is -1: three are -1, -2 and -3. #}
{% set windows = [3, 12] %}
{% set drawings = ["ATM", "POS"] %}
{# The monthly mean of the last three months against that of all months. #}
{% macro trend(sum) -%}
{{ ratio(ratio(total(sum ~ "_last_3"), "SUM(months_last_3)"), ratio(total(sum), "SUM(months)")) }}
{%- endmacro %}
{# The mean over all months, or those of a window, of an amount that was summed by card. #}
{% macro monthly(sum, window="") -%}
{{ ratio(total(sum ~ window, unit=amount), "SUM(months" ~ window ~ ")") }}
{%- endmacro %}
WITH months AS (
    -- Amounts are in thousandths, as sums need them.
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
        CAST(SK_ID_PREV AS BIGINT) AS SK_ID_PREV,
        CAST(MONTHS_BALANCE AS INT) AS month,
        {{ thousandths("AMT_BALANCE") }} AS balance,
        {{ thousandths("AMT_CREDIT_LIMIT_ACTUAL") }} AS credit_limit,
        {{ thousandths("AMT_DRAWINGS_CURRENT") }} AS drawn,
        CAST(CNT_DRAWINGS_CURRENT AS INT) AS drawings,
    {% for kind in drawings %}
        {{ thousandths("AMT_DRAWINGS_" ~ kind ~ "_CURRENT") }} AS drawn_{{ kind | lower }},
        CAST(CNT_DRAWINGS_{{ kind }}_CURRENT AS INT) AS drawings_{{ kind | lower }},
    {% endfor %}
        {{ thousandths("AMT_INST_MIN_REGULARITY") }} AS least_payment,
        {{ thousandths("AMT_PAYMENT_TOTAL_CURRENT") }} AS paid,
        {{ thousandths("AMT_RECEIVABLE_PRINCIPAL") }} AS principal,
        {{ thousandths("AMT_TOTAL_RECEIVABLE") }} AS receivable,
        CAST(CNT_INSTALMENT_MATURE_CUM AS INT) AS instalments_paid,
        CAST(SK_DPD AS INT) AS late,
        CAST(SK_DPD_DEF AS INT) AS late_much
    FROM credit_card_balance
),
used AS (
    SELECT *, balance / NULLIF(credit_limit, 0) AS utilisation FROM months
),
cards AS (
    SELECT
        SK_ID_CURR,
        SK_ID_PREV,
        COUNT(*) AS months,
        MIN(month) AS first_month,
        MAX(month) AS last_month,
        COUNT(*) FILTER (WHERE balance > 0) AS months_with_balance,
        COUNT(*) FILTER (WHERE drawings > 0) AS months_with_drawings,
        MAX(month) FILTER (WHERE drawings > 0) AS last_month_with_drawings,
        COUNT(*) FILTER (WHERE late > 0) AS months_late,
        MAX(late) AS worst,
        MAX(late_much) AS worst_much,
        MAX(month) FILTER (WHERE late > 0) AS last_late_month,
        COUNT(*) FILTER (WHERE balance > credit_limit) AS months_over_limit,
        COUNT(*) FILTER (WHERE least_payment > 0) AS months_to_pay,
        COUNT(*) FILTER (WHERE least_payment > 0 AND paid < least_payment) AS months_underpaid,
        -- At least what was asked for, and no more than a tenth above it
        COUNT(*) FILTER (
            WHERE least_payment > 0 AND paid >= least_payment AND 10 * paid <= 11 * least_payment
        ) AS months_paid_least,
        COUNT(*) FILTER (WHERE least_payment > 0 AND paid >= receivable) AS months_paid_off,
        SUM(balance) AS balance_sum,
        MAX(balance) AS balance_max,
        MAX(credit_limit) AS limit_max,
        SUM({{ millionths("utilisation") }}) AS utilisation_sum,
        COUNT(utilisation) AS utilisation_months,
        MAX(utilisation) AS utilisation_max,
        SUM(drawn) AS drawn_sum,
        MAX(drawn) AS drawn_max,
        SUM(drawings) AS drawings_sum,
    {% for kind in drawings %}
        SUM(drawn_{{ kind | lower }}) AS drawn_{{ kind | lower }}_sum,
        SUM(drawings_{{ kind | lower }}) AS drawings_{{ kind | lower }}_sum,
    {% endfor %}
        SUM(paid) AS paid_sum,
        SUM(least_payment) AS least_payment_sum,
        SUM(receivable - principal) AS interest_sum,
        MAX(instalments_paid) AS instalments_paid,
    {% for n in windows %}
        COUNT(*) FILTER (WHERE month >= -{{ n }}) AS months_last_{{ n }},
        COUNT(*) FILTER (WHERE late > 0 AND month >= -{{ n }}) AS months_late_last_{{ n }},
        SUM(balance) FILTER (WHERE month >= -{{ n }}) AS balance_sum_last_{{ n }},
        SUM(credit_limit) FILTER (WHERE month >= -{{ n }}) AS limit_sum_last_{{ n }},
        SUM(drawn) FILTER (WHERE month >= -{{ n }}) AS drawn_sum_last_{{ n }},
        SUM(drawn_atm) FILTER (WHERE month >= -{{ n }}) AS drawn_atm_sum_last_{{ n }},
        SUM(paid) FILTER (WHERE month >= -{{ n }}) AS paid_sum_last_{{ n }},
    {% endfor %}
        MAX_BY(balance, month) FILTER (WHERE balance IS NOT NULL) AS last_balance,
        MAX_BY(credit_limit, month) FILTER (WHERE credit_limit IS NOT NULL) AS last_limit,
        MAX_BY(late, month) AS last_late
    FROM used
    GROUP BY SK_ID_CURR, SK_ID_PREV
)
SELECT
    SK_ID_CURR,
    -- How many cards, for how long, used how often
    {{ count() }} AS CARD_CARDS,
    {{ total("months") }} AS CARD_MONTHS,
    {{ smallest("first_month") }} AS CARD_FIRST_MONTH,
    {{ largest("last_month") }} AS CARD_LAST_MONTH,
    {{ ratio("SUM(months_with_balance)", "SUM(months)") }} AS CARD_MONTHS_WITH_BALANCE_SHARE,
    {{ ratio("SUM(months_with_drawings)", "SUM(months)") }} AS CARD_MONTHS_WITH_DRAWINGS_SHARE,
    {{ largest("last_month_with_drawings") }} AS CARD_LAST_MONTH_WITH_DRAWINGS,
    {{ total("instalments_paid") }} AS CARD_INSTALMENTS_PAID,
    -- Owed, and its share of the limit
    {{ total("last_balance", unit=amount) }} AS CARD_LAST_BALANCE,
    {{ total("last_limit", unit=amount) }} AS CARD_LAST_LIMIT,
    {{ ratio(total("last_balance"), total("last_limit")) }} AS CARD_LAST_UTILISATION,
    {{ monthly("balance_sum") }} AS CARD_BALANCE_MEAN,
    {{ largest("balance_max", unit=amount) }} AS CARD_BALANCE_MAX,
    {{ largest("limit_max", unit=amount) }} AS CARD_LIMIT_MAX,
    {{ ratio(total("last_limit"), total("limit_max")) }} AS CARD_LAST_LIMIT_TO_MAX,
    {{ ratio(total("utilisation_sum", unit=1000000), "SUM(utilisation_months)") }} AS CARD_UTILISATION_MEAN,
    {{ largest("utilisation_max") }} AS CARD_UTILISATION_MAX,
    {{ ratio("SUM(months_over_limit)", "SUM(months)") }} AS CARD_MONTHS_OVER_LIMIT_SHARE,
    {{ total("interest_sum", unit=amount) }} AS CARD_INTEREST_SUM,
    -- Drawn
    {{ monthly("drawn_sum") }} AS CARD_DRAWN_MEAN,
    {{ largest("drawn_max", unit=amount) }} AS CARD_DRAWN_MAX,
    {{ ratio(total("drawings_sum"), "SUM(months)") }} AS CARD_DRAWINGS_MEAN,
    {{ ratio(total("drawn_sum", unit=amount), total("drawings_sum")) }} AS CARD_DRAWN_PER_DRAWING,
{% for kind in drawings %}
    {{ ratio(total("drawn_" ~ kind | lower ~ "_sum"), total("drawn_sum")) }} AS CARD_DRAWN_{{ kind }}_SHARE,
    {{ total("drawings_" ~ kind | lower ~ "_sum") }} AS CARD_DRAWINGS_{{ kind }}_SUM,
{% endfor %}
    -- Paid
    {{ monthly("paid_sum") }} AS CARD_PAID_MEAN,
    {{ ratio(total("paid_sum"), total("balance_sum")) }} AS CARD_PAID_TO_BALANCE,
    {{ ratio(total("paid_sum"), total("least_payment_sum")) }} AS CARD_PAID_TO_LEAST_PAYMENT,
    {{ ratio("SUM(months_underpaid)", "SUM(months_to_pay)") }} AS CARD_MONTHS_UNDERPAID_SHARE,
    {{ ratio("SUM(months_paid_least)", "SUM(months_to_pay)") }} AS CARD_MONTHS_PAID_LEAST_SHARE,
    {{ ratio("SUM(months_paid_off)", "SUM(months_to_pay)") }} AS CARD_MONTHS_PAID_OFF_SHARE,
    -- Late
    {{ ratio("SUM(months_late)", "SUM(months)") }} AS CARD_MONTHS_LATE_SHARE,
    {{ largest("worst") }} AS CARD_DPD_MAX,
    {{ largest("worst_much") }} AS CARD_DPD_DEF_MAX,
    {{ largest("last_late") }} AS CARD_LAST_DPD,
    {{ largest("last_late_month") }} AS CARD_LAST_LATE_MONTH,
    -- The last months, and their trend against all months
{% for n in windows %}
    {{ total("months_late_last_" ~ n) }} AS CARD_MONTHS_LATE_LAST_{{ n }}M,
    {{ monthly("balance_sum", "_last_" ~ n) }} AS CARD_BALANCE_MEAN_LAST_{{ n }}M,
    {{ ratio(total("balance_sum_last_" ~ n), total("limit_sum_last_" ~ n)) }} AS CARD_UTILISATION_LAST_{{ n }}M,
    {{ monthly("drawn_sum", "_last_" ~ n) }} AS CARD_DRAWN_MEAN_LAST_{{ n }}M,
    {{ ratio(total("drawn_atm_sum_last_" ~ n), total("drawn_sum_last_" ~ n)) }} AS CARD_DRAWN_ATM_SHARE_LAST_{{ n }}M,
    {{ ratio(total("paid_sum_last_" ~ n), total("balance_sum_last_" ~ n)) }} AS CARD_PAID_TO_BALANCE_LAST_{{ n }}M,
{% endfor %}
    {{ trend("balance_sum") }} AS CARD_BALANCE_LAST_3M_TO_ALL,
    {{ trend("drawn_sum") }} AS CARD_DRAWN_LAST_3M_TO_ALL
FROM cards
GROUP BY SK_ID_CURR
