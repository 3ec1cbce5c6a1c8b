/*
description: Earlier applications at Home Credit, what was asked for, granted, refused and still runs.
owner: home credit team
primary_keys: [SK_ID_CURR]
slices: 2
*/
{% from "macros.sql" import amount, thousandths, count, total, mean, mean_ratio, largest, smallest, ratio, share %}
{% set outcomes = ["APPROVED", "REFUSED"] %}
{% set kinds = [("CASH", "Cash loans"), ("CONSUMER", "Consumer loans"), ("REVOLVING", "Revolving loans")] %}
{# Of the applicant's latest application, or the latest of some: of those decided on the newest day
   the one of the largest number. What it does not say stays unknown, and is -1 on the way. #}
{% macro last(value, where="", unit=1) -%}
NULLIF(CAST(MAX_BY(COALESCE({{ value }}, -1), at)
    {%- if where %} FILTER (WHERE {{ where }}){% endif %} AS DOUBLE), -1)
    {%- if unit != 1 %} / {{ unit }}{% endif %}
{%- endmacro %}
WITH previous AS (
    -- Amounts are in thousandths, as sums need them.
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
        CAST(DAYS_DECISION AS BIGINT) * 10000000 + CAST(SK_ID_PREV AS BIGINT) AS at,
    {% for outcome in outcomes %}
        NAME_CONTRACT_STATUS = '{{ outcome | capitalize }}' AS is_{{ outcome | lower }},
    {% endfor %}
    {% for kind, name in kinds %}
        NAME_CONTRACT_TYPE = '{{ name }}' AS is_{{ kind | lower }},
    {% endfor %}
        NAME_CONTRACT_STATUS,
        NAME_YIELD_GROUP,
        NAME_PRODUCT_TYPE,
        NAME_GOODS_CATEGORY,
        CODE_REJECT_REASON,
        CHANNEL_TYPE,
        CAST(DAYS_DECISION AS INT) AS decided,
        CAST(HOUR_APPR_PROCESS_START AS INT) AS hour,
        {{ thousandths("AMT_APPLICATION") }} AS asked,
        {{ thousandths("AMT_CREDIT") }} AS credit,
        {{ thousandths("AMT_ANNUITY") }} AS annuity,
        {{ thousandths("AMT_DOWN_PAYMENT") }} AS down_payment,
        CAST(RATE_DOWN_PAYMENT AS DOUBLE) AS down_payment_rate,
        CAST(CNT_PAYMENT AS INT) AS term,
        CAST(NFLAG_INSURED_ON_APPROVAL AS INT) AS insured,
        -- 365243 says that there is no such day, for the end: not yet.
        NULLIF(CAST(DAYS_FIRST_DRAWING AS INT), 365243) AS first_drawing,
        NULLIF(CAST(DAYS_LAST_DUE_1ST_VERSION AS INT), 365243) AS last_due_agreed,
        NULLIF(CAST(DAYS_LAST_DUE AS INT), 365243) AS last_due,
        NULLIF(CAST(DAYS_TERMINATION AS INT), 365243) AS ended,
        NAME_CONTRACT_STATUS = 'Approved' AND CAST(DAYS_TERMINATION AS INT) = 365243 AS is_running
    FROM previous_application
),
compared AS (
    SELECT
        *,
        credit / NULLIF(asked, 0) AS credit_to_asked,
        annuity / NULLIF(credit, 0) AS annuity_to_credit,
        -- The price of a loan: all that is paid back against what was lent
        annuity * term / NULLIF(credit, 0) AS paid_back_to_credit
    FROM previous
)
SELECT
    SK_ID_CURR,
    -- How many, with which outcome, of which kind
    {{ count() }} AS PREV_APPLICATIONS,
{% for status in ["Approved", "Refused", "Canceled", "Unused offer"] %}
    {{ count("NAME_CONTRACT_STATUS = '" ~ status ~ "'") }} AS PREV_{{ status | upper | replace(" ", "_") }},
{% endfor %}
    {{ share("is_approved") }} AS PREV_APPROVED_SHARE,
    {{ share("is_refused", "is_approved OR is_refused") }} AS PREV_REFUSED_SHARE_OF_DECIDED,
{% for kind, _ in kinds %}
    {% set is_kind = "is_" ~ kind | lower %}
    {{ count(is_kind) }} AS PREV_{{ kind }},
    {{ count(is_kind ~ " AND is_approved") }} AS PREV_{{ kind }}_APPROVED,
    {{ count(is_kind ~ " AND is_refused") }} AS PREV_{{ kind }}_REFUSED,
{% endfor %}
    -- Why "is_refused", sold how, at which price
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
{% for outcome in outcomes %}
    {% set is_outcome = "is_" ~ outcome | lower %}
    {{ largest("decided", is_outcome) }} AS PREV_{{ outcome }}_DAYS_DECISION_MAX,
    {{ mean("decided", is_outcome) }} AS PREV_{{ outcome }}_DAYS_DECISION_MEAN,
{% endfor %}
{% for kind, _ in kinds %}
    {% set is_kind = "is_" ~ kind | lower %}
    {{ largest("decided", is_kind) }} AS PREV_{{ kind }}_DAYS_DECISION_MAX,
{% endfor %}
{% for days in [180, 365, 730] %}
    {{ count("decided >= -" ~ days) }} AS PREV_APPLICATIONS_LAST_{{ days }}D,
    {{ count("is_refused AND decided >= -" ~ days) }} AS PREV_REFUSED_LAST_{{ days }}D,
{% endfor %}
    {{ share("is_refused", "decided >= -730") }} AS PREV_REFUSED_SHARE_LAST_730D,
    -- Asked for and granted
    {{ mean("asked", unit=amount) }} AS PREV_ASKED_MEAN,
    {{ largest("asked", unit=amount) }} AS PREV_ASKED_MAX,
{% for name in ["credit", "annuity"] %}
    {{ mean(name, unit=amount) }} AS PREV_{{ name | upper }}_MEAN,
    {{ mean(name, "is_approved", unit=amount) }} AS PREV_APPROVED_{{ name | upper }}_MEAN,
    {{ largest(name, "is_approved", unit=amount) }} AS PREV_APPROVED_{{ name | upper }}_MAX,
    {{ mean(name, "is_refused", unit=amount) }} AS PREV_REFUSED_{{ name | upper }}_MEAN,
{% endfor %}
    {{ total("credit", "is_approved", unit=amount) }} AS PREV_APPROVED_CREDIT_SUM,
    {{ total("credit", "is_approved AND decided >= -365", unit=amount) }} AS PREV_APPROVED_CREDIT_SUM_LAST_365D,
{% for kind, _ in kinds %}
    {% set is_kind = "is_" ~ kind | lower %}
    {{ mean("credit", is_kind ~ " AND is_approved", unit=amount) }} AS PREV_{{ kind }}_CREDIT_MEAN,
    {{ mean("annuity", is_kind ~ " AND is_approved", unit=amount) }} AS PREV_{{ kind }}_ANNUITY_MEAN,
{% endfor %}
    {{ mean_ratio("credit_to_asked") }} AS PREV_CREDIT_TO_ASKED_MEAN,
    {{ mean_ratio("credit_to_asked", "is_refused") }} AS PREV_REFUSED_CREDIT_TO_ASKED_MEAN,
    {{ smallest("credit_to_asked") }} AS PREV_CREDIT_TO_ASKED_MIN,
    {{ mean_ratio("annuity_to_credit", "is_approved") }} AS PREV_ANNUITY_TO_CREDIT_MEAN,
    {{ mean_ratio("paid_back_to_credit", "is_approved") }} AS PREV_PAID_BACK_TO_CREDIT_MEAN,
    {{ largest("paid_back_to_credit", "is_approved") }} AS PREV_PAID_BACK_TO_CREDIT_MAX,
    {{ mean("down_payment", unit=amount) }} AS PREV_DOWN_PAYMENT_MEAN,
    {{ mean_ratio("down_payment_rate") }} AS PREV_DOWN_PAYMENT_RATE_MEAN,
    {{ largest("down_payment_rate") }} AS PREV_DOWN_PAYMENT_RATE_MAX,
    {{ mean("term", "is_approved") }} AS PREV_TERM_MEAN,
    {{ mean("term", "is_refused") }} AS PREV_REFUSED_TERM_MEAN,
    {{ mean("insured") }} AS PREV_INSURED_SHARE,
    -- The course of the loans that were granted
    {{ largest("last_due") }} AS PREV_DAYS_LAST_DUE_MAX,
    {{ largest("last_due_agreed") }} AS PREV_DAYS_LAST_DUE_AGREED_MAX,
    {{ largest("first_drawing") }} AS PREV_DAYS_FIRST_DRAWING_MAX,
    {{ mean("ended") }} AS PREV_DAYS_TERMINATION_MEAN,
    {{ mean("last_due_agreed - last_due") }} AS PREV_DAYS_PAID_EARLY_MEAN,
    -- What still runs
    {{ count("is_running") }} AS PREV_RUNNING,
    {{ total("annuity", "is_running", unit=amount) }} AS PREV_RUNNING_ANNUITY_SUM,
    {{ largest("last_due_agreed", "is_running") }} AS PREV_RUNNING_DAYS_LAST_DUE_MAX,
    -- The latest application of all, and the latest that was granted
    {{ last("credit", unit=amount) }} AS PREV_LAST_CREDIT,
    {{ last("credit_to_asked") }} AS PREV_LAST_CREDIT_TO_ASKED,
    {{ last("CASE WHEN is_refused THEN 1 ELSE 0 END") }} AS PREV_LAST_IS_REFUSED,
    {{ last("annuity", "is_approved", unit=amount) }} AS PREV_LAST_APPROVED_ANNUITY,
    {{ last("credit", "is_approved", unit=amount) }} AS PREV_LAST_APPROVED_CREDIT,
    {{ last("term", "is_approved") }} AS PREV_LAST_APPROVED_TERM,
    {{ last("paid_back_to_credit", "is_approved") }} AS PREV_LAST_APPROVED_PAID_BACK_TO_CREDIT
FROM compared
GROUP BY SK_ID_CURR
