/*
description: Earlier applications at Home Credit, what was asked for, granted, refused and still runs.
owner: home credit team
primary_keys: [SK_ID_CURR]
slices: 4
*/
{% from "macros.sql" import count, total, mean, mean_ratio, largest, smallest, ratio, share %}
{% set approved = "NAME_CONTRACT_STATUS = 'Approved'" %}
{% set refused = "NAME_CONTRACT_STATUS = 'Refused'" %}
{% set outcomes = [("APPROVED", approved), ("REFUSED", refused)] %}
{% set kinds = [
    ("CASH", "NAME_CONTRACT_TYPE = 'Cash loans'"),
    ("CONSUMER", "NAME_CONTRACT_TYPE = 'Consumer loans'"),
    ("REVOLVING", "NAME_CONTRACT_TYPE = 'Revolving loans'"),
] %}
{# An application is the latest of its applicant when this is largest: a day may have several. #}
{% set order = "decided * 10000000 + SK_ID_PREV" %}
{% macro last(value, where) -%}
CAST(MAX_BY({{ value }}, {{ order }}) FILTER (WHERE {{ where }} AND {{ value }} IS NOT NULL) AS DOUBLE)
{%- endmacro %}
WITH previous AS (
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
        CAST(SK_ID_PREV AS BIGINT) AS SK_ID_PREV,
        NAME_CONTRACT_TYPE,
        NAME_CONTRACT_STATUS,
        NAME_YIELD_GROUP,
        NAME_PRODUCT_TYPE,
        NAME_GOODS_CATEGORY,
        CODE_REJECT_REASON,
        CHANNEL_TYPE,
        CAST(DAYS_DECISION AS BIGINT) AS decided,
        CAST(HOUR_APPR_PROCESS_START AS BIGINT) AS hour,
        CAST(AMT_APPLICATION AS DOUBLE) AS asked,
        CAST(AMT_CREDIT AS DOUBLE) AS credit,
        CAST(AMT_ANNUITY AS DOUBLE) AS annuity,
        CAST(AMT_GOODS_PRICE AS DOUBLE) AS goods,
        CAST(AMT_DOWN_PAYMENT AS DOUBLE) AS down_payment,
        CAST(RATE_DOWN_PAYMENT AS DOUBLE) AS down_payment_rate,
        CAST(CNT_PAYMENT AS DOUBLE) AS term,
        CAST(NFLAG_INSURED_ON_APPROVAL AS DOUBLE) AS insured,
        -- 365243 says that there is no such day, for the end: not yet.
        NULLIF(CAST(DAYS_FIRST_DRAWING AS DOUBLE), 365243) AS first_drawing,
        NULLIF(CAST(DAYS_LAST_DUE_1ST_VERSION AS DOUBLE), 365243) AS last_due_agreed,
        NULLIF(CAST(DAYS_LAST_DUE AS DOUBLE), 365243) AS last_due,
        NULLIF(CAST(DAYS_TERMINATION AS DOUBLE), 365243) AS ended,
        CASE WHEN {{ approved }} AND CAST(DAYS_TERMINATION AS DOUBLE) = 365243 THEN 1 ELSE 0 END AS is_running
    FROM previous_application
)
SELECT
    SK_ID_CURR,
    -- How many, with which outcome, of which kind
    {{ count() }} AS PREV_APPLICATIONS,
{% for status in ["Approved", "Refused", "Canceled", "Unused offer"] %}
    {{ count("NAME_CONTRACT_STATUS = '" ~ status ~ "'") }} AS PREV_{{ status | upper | replace(" ", "_") }},
{% endfor %}
    {{ share(approved) }} AS PREV_APPROVED_SHARE,
    {{ share(refused, "NAME_CONTRACT_STATUS IN ('Approved', 'Refused')") }} AS PREV_REFUSED_SHARE_OF_DECIDED,
{% for kind, is_kind in kinds %}
    {{ count(is_kind) }} AS PREV_{{ kind }},
    {{ count(is_kind ~ " AND " ~ approved) }} AS PREV_{{ kind }}_APPROVED,
    {{ count(is_kind ~ " AND " ~ refused) }} AS PREV_{{ kind }}_REFUSED,
{% endfor %}
    -- Why refused, sold how, at which price
{% for reason in ["HC", "LIMIT", "SCO", "SCOFR"] %}
    {{ count("CODE_REJECT_REASON = '" ~ reason ~ "'") }} AS PREV_REJECT_{{ reason }},
{% endfor %}
{% for group in ["high", "middle", "low_normal", "low_action"] %}
    {{ share("NAME_YIELD_GROUP = '" ~ group ~ "'") }} AS PREV_YIELD_{{ group | upper }}_SHARE,
{% endfor %}
    {{ share("NAME_PRODUCT_TYPE = 'walk-in'") }} AS PREV_WALK_IN_SHARE,
{% for name, channel in [("OFFICE", "Credit and cash offices"), ("COUNTRY_WIDE", "Country-wide"), ("STONE", "Stone"),
    ("CONTACT_CENTER", "Contact center")] %}
    {{ share("CHANNEL_TYPE = '" ~ channel ~ "'") }} AS PREV_CHANNEL_{{ name }}_SHARE,
{% endfor %}
    {{ share("NAME_GOODS_CATEGORY = 'Mobile'", "NAME_GOODS_CATEGORY <> 'XNA'") }} AS PREV_GOODS_MOBILE_SHARE,
    {{ mean("hour") }} AS PREV_HOUR_MEAN,
    -- When decided
    {{ largest("decided") }} AS PREV_DAYS_DECISION_MAX,
    {{ smallest("decided") }} AS PREV_DAYS_DECISION_MIN,
    {{ mean("decided") }} AS PREV_DAYS_DECISION_MEAN,
    {{ ratio("MAX(decided) - MIN(decided)", "COUNT(*) - 1") }} AS PREV_DAYS_BETWEEN_DECISIONS,
{% for outcome, is_outcome in outcomes %}
    {{ largest("decided", is_outcome) }} AS PREV_{{ outcome }}_DAYS_DECISION_MAX,
    {{ mean("decided", is_outcome) }} AS PREV_{{ outcome }}_DAYS_DECISION_MEAN,
{% endfor %}
{% for kind, is_kind in kinds %}
    {{ largest("decided", is_kind) }} AS PREV_{{ kind }}_DAYS_DECISION_MAX,
{% endfor %}
{% for days in [180, 365, 730] %}
    {{ count("decided >= -" ~ days) }} AS PREV_APPLICATIONS_LAST_{{ days }}D,
    {{ count(refused ~ " AND decided >= -" ~ days) }} AS PREV_REFUSED_LAST_{{ days }}D,
{% endfor %}
    {{ share(refused, "decided >= -730") }} AS PREV_REFUSED_SHARE_LAST_730D,
    -- Asked for and granted
    {{ mean("asked") }} AS PREV_ASKED_MEAN,
    {{ largest("asked") }} AS PREV_ASKED_MAX,
{% for name in ["credit", "annuity"] %}
    {{ mean(name) }} AS PREV_{{ name | upper }}_MEAN,
    {{ mean(name, approved) }} AS PREV_APPROVED_{{ name | upper }}_MEAN,
    {{ largest(name, approved) }} AS PREV_APPROVED_{{ name | upper }}_MAX,
    {{ mean(name, refused) }} AS PREV_REFUSED_{{ name | upper }}_MEAN,
{% endfor %}
    {{ total("credit", approved) }} AS PREV_APPROVED_CREDIT_SUM,
    {{ total("credit", approved ~ " AND decided >= -365") }} AS PREV_APPROVED_CREDIT_SUM_LAST_365D,
{% for kind, is_kind in kinds %}
    {{ mean("credit", is_kind ~ " AND " ~ approved) }} AS PREV_{{ kind }}_CREDIT_MEAN,
    {{ mean("annuity", is_kind ~ " AND " ~ approved) }} AS PREV_{{ kind }}_ANNUITY_MEAN,
{% endfor %}
    {{ mean_ratio("credit / NULLIF(asked, 0)") }} AS PREV_CREDIT_TO_ASKED_MEAN,
    {{ mean_ratio("credit / NULLIF(asked, 0)", refused) }} AS PREV_REFUSED_CREDIT_TO_ASKED_MEAN,
    {{ smallest("credit / NULLIF(asked, 0)") }} AS PREV_CREDIT_TO_ASKED_MIN,
    {{ mean_ratio("annuity / NULLIF(credit, 0)", approved) }} AS PREV_ANNUITY_TO_CREDIT_MEAN,
    -- The price of a loan: all that is paid back against what was lent
    {{ mean_ratio("annuity * term / NULLIF(credit, 0)", approved) }} AS PREV_PAID_BACK_TO_CREDIT_MEAN,
    {{ largest("annuity * term / NULLIF(credit, 0)", approved) }} AS PREV_PAID_BACK_TO_CREDIT_MAX,
    {{ mean("down_payment") }} AS PREV_DOWN_PAYMENT_MEAN,
    {{ mean_ratio("down_payment_rate") }} AS PREV_DOWN_PAYMENT_RATE_MEAN,
    {{ largest("down_payment_rate") }} AS PREV_DOWN_PAYMENT_RATE_MAX,
    {{ mean("term", approved) }} AS PREV_TERM_MEAN,
    {{ mean("term", refused) }} AS PREV_REFUSED_TERM_MEAN,
    {{ mean("insured") }} AS PREV_INSURED_SHARE,
    -- The course of the loans that were granted
    {{ largest("last_due") }} AS PREV_DAYS_LAST_DUE_MAX,
    {{ largest("last_due_agreed") }} AS PREV_DAYS_LAST_DUE_AGREED_MAX,
    {{ largest("first_drawing") }} AS PREV_DAYS_FIRST_DRAWING_MAX,
    {{ mean("ended") }} AS PREV_DAYS_TERMINATION_MEAN,
    {{ mean("last_due_agreed - last_due") }} AS PREV_DAYS_PAID_EARLY_MEAN,
    -- What still runs
    {{ count("is_running = 1") }} AS PREV_RUNNING,
    {{ total("annuity", "is_running = 1") }} AS PREV_RUNNING_ANNUITY_SUM,
    {{ largest("last_due_agreed", "is_running = 1") }} AS PREV_RUNNING_DAYS_LAST_DUE_MAX,
    -- The latest application of all, and the latest that was granted
    {{ last("credit", "credit > 0") }} AS PREV_LAST_CREDIT,
    {{ last("credit / NULLIF(asked, 0)", "credit > 0") }} AS PREV_LAST_CREDIT_TO_ASKED,
    {{ last("CASE WHEN " ~ refused ~ " THEN 1 ELSE 0 END", "SK_ID_PREV > 0") }} AS PREV_LAST_IS_REFUSED,
    {{ last("annuity", approved) }} AS PREV_LAST_APPROVED_ANNUITY,
    {{ last("credit", approved) }} AS PREV_LAST_APPROVED_CREDIT,
    {{ last("term", approved) }} AS PREV_LAST_APPROVED_TERM,
    {{ last("annuity * term / NULLIF(credit, 0)", approved) }} AS PREV_LAST_APPROVED_PAID_BACK_TO_CREDIT
FROM previous
GROUP BY SK_ID_CURR
