{#
Sums and means that are the same number on every engine and in every order of the rows.

A sum of doubles depends on the order of its terms, which a parallel engine does not fix. So the
terms are rounded to whole numbers first (amounts and days in thousandths, shares in millionths):
doubles add whole numbers up exactly, as long as the sum stays below 2 to the 53rd (about
9,000,000,000,000 in thousandths). `where` keeps some rows, as FILTER does; no row gives NULL.
#}
{% macro rows_where(where) %}
{% if where %} FILTER (WHERE {{ where }}){% endif %}
{% endmacro %}

{# How many rows; never NULL. #}
{% macro count(where="") %}
CAST(COUNT(*){{ rows_where(where) }} AS BIGINT)
{%- endmacro %}

{# The sum of amounts, days or counts with at most three decimals. #}
{% macro total(value, where="", scale=1000) %}
SUM(FLOOR({{ scale }} * CAST({{ value }} AS DOUBLE) + 0.5)){{ rows_where(where) }} / {{ scale }}
{%- endmacro %}

{# The mean of amounts, days or counts with at most three decimals, over the values that are known. #}
{% macro mean(value, where="", scale=1000) %}
{{ total(value, where, scale) }} / NULLIF(COUNT({{ value }}){{ rows_where(where) }}, 0)
{%- endmacro %}

{# The mean of ratios and shares, to six decimals. #}
{% macro mean_ratio(value, where="") %}
{{ mean(value, where, scale=1000000) }}
{%- endmacro %}

{% macro largest(value, where="") %}
CAST(MAX({{ value }}){{ rows_where(where) }} AS DOUBLE)
{%- endmacro %}

{% macro smallest(value, where="") %}
CAST(MIN({{ value }}){{ rows_where(where) }} AS DOUBLE)
{%- endmacro %}

{# One number by another as a DOUBLE; NULL where the second is zero. #}
{% macro ratio(above, below) %}
CAST({{ above }} AS DOUBLE) / NULLIF(CAST({{ below }} AS DOUBLE), 0)
{%- endmacro %}

{# The share of rows for which something holds. #}
{% macro share(condition, where="") %}
{% set both = condition ~ " AND " ~ where if where else condition %}
CAST(COUNT(*){{ rows_where(both) }} AS DOUBLE) / NULLIF(COUNT(*){{ rows_where(where) }}, 0)
{%- endmacro %}
