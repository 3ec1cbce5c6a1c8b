/*
description: The application itself, and what follows from it alone.
owner: application team
primary_keys: [SK_ID_CURR]
*/
{% from "macros.sql" import ratio %}
{% set sizes = ["APARTMENTS", "BASEMENTAREA", "YEARS_BEGINEXPLUATATION", "YEARS_BUILD", "COMMONAREA",
    "ELEVATORS", "ENTRANCES", "FLOORSMAX", "FLOORSMIN", "LANDAREA", "LIVINGAPARTMENTS", "LIVINGAREA",
    "NONLIVINGAPARTMENTS", "NONLIVINGAREA"] %}
{% set periods = ["HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR"] %}
{% set texts = ["NAME_CONTRACT_TYPE", "CODE_GENDER", "FLAG_OWN_CAR", "FLAG_OWN_REALTY",
    "NAME_TYPE_SUITE", "NAME_INCOME_TYPE", "NAME_EDUCATION_TYPE", "NAME_FAMILY_STATUS",
    "NAME_HOUSING_TYPE", "OCCUPATION_TYPE", "WEEKDAY_APPR_PROCESS_START", "ORGANIZATION_TYPE",
    "FONDKAPREMONT_MODE", "HOUSETYPE_MODE", "WALLSMATERIAL_MODE", "EMERGENCYSTATE_MODE"] %}
{% set whole_numbers = ["CNT_CHILDREN", "DAYS_BIRTH", "DAYS_ID_PUBLISH", "FLAG_MOBIL",
    "FLAG_EMP_PHONE", "FLAG_WORK_PHONE", "FLAG_CONT_MOBILE", "FLAG_PHONE", "FLAG_EMAIL",
    "REGION_RATING_CLIENT", "REGION_RATING_CLIENT_W_CITY", "HOUR_APPR_PROCESS_START",
    "REG_REGION_NOT_LIVE_REGION", "REG_REGION_NOT_WORK_REGION", "LIVE_REGION_NOT_WORK_REGION",
    "REG_CITY_NOT_LIVE_CITY", "REG_CITY_NOT_WORK_CITY", "LIVE_CITY_NOT_WORK_CITY"] %}
{% set numbers = ["AMT_INCOME_TOTAL", "AMT_CREDIT", "AMT_ANNUITY", "AMT_GOODS_PRICE",
    "REGION_POPULATION_RELATIVE", "DAYS_REGISTRATION", "OWN_CAR_AGE", "CNT_FAM_MEMBERS",
    "EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3", "TOTALAREA_MODE", "OBS_30_CNT_SOCIAL_CIRCLE",
    "DEF_30_CNT_SOCIAL_CIRCLE", "OBS_60_CNT_SOCIAL_CIRCLE", "DEF_60_CNT_SOCIAL_CIRCLE",
    "DAYS_LAST_PHONE_CHANGE"] %}
{% macro missing(name) %}CASE WHEN {{ name }} IS NULL THEN 1 ELSE 0 END{% endmacro %}
WITH applications AS (
{% for table in ["application_train", "application_test"] %}
    SELECT
        CAST(SK_ID_CURR AS BIGINT) AS SK_ID_CURR,
    {% for name in texts %}
        CAST({{ name }} AS VARCHAR) AS {{ name }},
    {% endfor %}
    {% for name in whole_numbers %}
        CAST({{ name }} AS BIGINT) AS {{ name }},
    {% endfor %}
    {% for number in range(2, 22) %}
        CAST(FLAG_DOCUMENT_{{ number }} AS BIGINT) AS FLAG_DOCUMENT_{{ number }},
    {% endfor %}
    {% for name in numbers %}
        CAST({{ name }} AS DOUBLE) AS {{ name }},
    {% endfor %}
    {% for size in sizes %}
        {% for kind in ["AVG", "MODE", "MEDI"] %}
        CAST({{ size }}_{{ kind }} AS DOUBLE) AS {{ size }}_{{ kind }},
        {% endfor %}
    {% endfor %}
    {% for period in periods %}
        CAST(AMT_REQ_CREDIT_BUREAU_{{ period }} AS DOUBLE) AS AMT_REQ_CREDIT_BUREAU_{{ period }},
    {% endfor %}
        -- Who is not employed has a date a thousand years away.
        NULLIF(CAST(DAYS_EMPLOYED AS BIGINT), 365243) AS DAYS_EMPLOYED
    FROM {{ table }}
    {% if not loop.last %}
    UNION ALL
    {% endif %}
{% endfor %}
),
counted AS (
    SELECT
        *,
        {% for n in [1, 2, 3] %}{{ missing("EXT_SOURCE_" ~ n) }}{{ " + " if not loop.last }}{% endfor %} AS scores_missing,
        {% for size in sizes %}{{ missing(size ~ "_AVG") }}{{ " + " if not loop.last }}{% endfor %} AS sizes_missing,
        {% for number in range(2, 22) %}FLAG_DOCUMENT_{{ number }}{{ " + " if not loop.last }}{% endfor %} AS documents,
        CNT_FAM_MEMBERS - CNT_CHILDREN AS adults
    FROM applications
)
SELECT
    SK_ID_CURR,
{% for name in texts + whole_numbers + numbers + ["DAYS_EMPLOYED"] %}
    {{ name }},
{% endfor %}
{% for number in range(2, 22) %}
    FLAG_DOCUMENT_{{ number }},
{% endfor %}
{% for size in sizes %}
    {% for kind in ["AVG", "MODE", "MEDI"] %}
    {{ size }}_{{ kind }},
    {% endfor %}
{% endfor %}
{% for period in periods %}
    AMT_REQ_CREDIT_BUREAU_{{ period }},
{% endfor %}
    -- The loan asked for, against what the applicant earns and buys
    {{ ratio("AMT_CREDIT", "AMT_INCOME_TOTAL") }} AS CREDIT_TO_INCOME,
    {{ ratio("AMT_ANNUITY", "AMT_INCOME_TOTAL") }} AS ANNUITY_TO_INCOME,
    {{ ratio("AMT_ANNUITY", "AMT_CREDIT") }} AS ANNUITY_TO_CREDIT,
    {{ ratio("AMT_CREDIT", "AMT_GOODS_PRICE") }} AS CREDIT_TO_GOODS,
    {{ ratio("AMT_GOODS_PRICE", "AMT_INCOME_TOTAL") }} AS GOODS_TO_INCOME,
    AMT_CREDIT - AMT_GOODS_PRICE AS CREDIT_ABOVE_GOODS,
    (AMT_INCOME_TOTAL / 12) - AMT_ANNUITY AS INCOME_LEFT_MONTHLY,
    -- The household
    {{ ratio("AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS") }} AS INCOME_PER_MEMBER,
    {{ ratio("AMT_INCOME_TOTAL", "adults") }} AS INCOME_PER_ADULT,
    {{ ratio("AMT_ANNUITY", "CNT_FAM_MEMBERS") }} AS ANNUITY_PER_MEMBER,
    CAST(adults AS DOUBLE) AS ADULTS,
    -- How long things have lasted, as a share of the applicant's life or work
    {{ ratio("DAYS_EMPLOYED", "DAYS_BIRTH") }} AS EMPLOYED_TO_AGE,
    {{ ratio("DAYS_REGISTRATION", "DAYS_BIRTH") }} AS REGISTRATION_TO_AGE,
    {{ ratio("DAYS_ID_PUBLISH", "DAYS_BIRTH") }} AS ID_PUBLISH_TO_AGE,
    {{ ratio("DAYS_LAST_PHONE_CHANGE", "DAYS_BIRTH") }} AS PHONE_CHANGE_TO_AGE,
    {{ ratio("DAYS_LAST_PHONE_CHANGE", "DAYS_EMPLOYED") }} AS PHONE_CHANGE_TO_EMPLOYED,
    {{ ratio("OWN_CAR_AGE", "DAYS_BIRTH") }} AS CAR_AGE_TO_AGE,
    {{ ratio("OWN_CAR_AGE", "DAYS_EMPLOYED") }} AS CAR_AGE_TO_EMPLOYED,
    -- The three outside scores together
    (COALESCE(EXT_SOURCE_1, 0) + COALESCE(EXT_SOURCE_2, 0) + COALESCE(EXT_SOURCE_3, 0))
        / NULLIF(3 - scores_missing, 0) AS EXT_SOURCE_MEAN,
    LEAST(EXT_SOURCE_1, EXT_SOURCE_2, EXT_SOURCE_3) AS EXT_SOURCE_MIN,
    GREATEST(EXT_SOURCE_1, EXT_SOURCE_2, EXT_SOURCE_3) AS EXT_SOURCE_MAX,
    GREATEST(EXT_SOURCE_1, EXT_SOURCE_2, EXT_SOURCE_3)
        - LEAST(EXT_SOURCE_1, EXT_SOURCE_2, EXT_SOURCE_3) AS EXT_SOURCE_SPREAD,
    EXT_SOURCE_2 * EXT_SOURCE_3 AS EXT_SOURCE_2_TIMES_3,
    CAST(scores_missing AS BIGINT) AS EXT_SOURCE_MISSING,
    -- What was left open, given or stated
    CAST(sizes_missing AS BIGINT) AS HOUSING_SIZES_MISSING,
    CAST(documents AS BIGINT) AS DOCUMENTS_GIVEN,
    CAST(FLAG_EMP_PHONE + FLAG_WORK_PHONE + FLAG_PHONE + FLAG_EMAIL AS BIGINT) AS CONTACTS_GIVEN,
    CAST(REG_REGION_NOT_LIVE_REGION + REG_REGION_NOT_WORK_REGION + LIVE_REGION_NOT_WORK_REGION
        + REG_CITY_NOT_LIVE_CITY + REG_CITY_NOT_WORK_CITY + LIVE_CITY_NOT_WORK_CITY AS BIGINT) AS ADDRESS_MISMATCHES,
    -- The social circle and the enquiries of other lenders
    {{ ratio("DEF_30_CNT_SOCIAL_CIRCLE", "OBS_30_CNT_SOCIAL_CIRCLE") }} AS SOCIAL_CIRCLE_DEF_30_SHARE,
    AMT_REQ_CREDIT_BUREAU_HOUR + AMT_REQ_CREDIT_BUREAU_DAY + AMT_REQ_CREDIT_BUREAU_WEEK
        + AMT_REQ_CREDIT_BUREAU_MON AS ENQUIRIES_LAST_MONTH,
    AMT_REQ_CREDIT_BUREAU_HOUR + AMT_REQ_CREDIT_BUREAU_DAY + AMT_REQ_CREDIT_BUREAU_WEEK
        + AMT_REQ_CREDIT_BUREAU_MON + AMT_REQ_CREDIT_BUREAU_QRT + AMT_REQ_CREDIT_BUREAU_YEAR AS ENQUIRIES_LAST_YEAR
FROM counted
