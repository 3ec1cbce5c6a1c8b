{#
Sums and means that are the same number on every engine and in every order of the rows.

A sum of doubles depends on the order of its terms, which a parallel engine does not fix. So only
whole numbers are summed: days and counts are such, amounts are made such once, in the first part
of a query (`thousandths`), and ratios are rounded to millionths. Doubles add whole numbers up
exactly, as long as the sum stays below 2 to the 53rd (about 9,000,000,000,000 as an amount).

What is summed, averaged or compared is a whole number; `unit` says how many of them make up 1:
it is `amount` where thousandths are to be given back as amounts. A ratio of two amounts needs
none. `where` keeps some rows, as FILTER does; no row gives NULL.
#}
{% set amount = 1000 %}

{% macro thousandths(column) %}
FLOOR(1000 * CAST({{ column }} AS DOUBLE) + 0.5)
{%- endmacro %}

{% macro rows_where(where) %}
{% if where %} FILTER (WHERE {{ where }}){% endif %}
{% endmacro %}

{% macro in_unit(unit) %}
{% if unit != 1 %} / {{ unit }}{% endif %}
{% endmacro %}

{# How many rows; never NULL. #}
{% macro count(where="") %}
CAST(COUNT(*){{ rows_where(where) }} AS BIGINT)
{%- endmacro %}

{% macro total(value, where="", unit=1) %}
CAST(SUM({{ value }}){{ rows_where(where) }} AS DOUBLE){{ in_unit(unit) }}
{%- endmacro %}

{# The mean over the values that are known. #}
{% macro mean(value, where="", unit=1) %}
{{ total(value, where, unit) }} / NULLIF(COUNT({{ value }}){{ rows_where(where) }}, 0)
{%- endmacro %}

{# The mean of ratios and shares, to six decimals. #}
{% macro mean_ratio(value, where="") %}
SUM({{ millionths(value) }}){{ rows_where(where) }} / 1000000 / NULLIF(COUNT({{ value }}){{ rows_where(where) }}, 0)
{%- endmacro %}

{% macro millionths(value) %}
FLOOR(1000000 * ({{ value }}) + 0.5)
{%- endmacro %}

{% macro largest(value, where="", unit=1) %}
CAST(MAX({{ value }}){{ rows_where(where) }} AS DOUBLE){{ in_unit(unit) }}
{%- endmacro %}

{% macro smallest(value, where="", unit=1) %}
CAST(MIN({{ value }}){{ rows_where(where) }} AS DOUBLE){{ in_unit(unit) }}
{%- endmacro %}

{# One number by another as a DOUBLE; NULL where the second is zero. #}
{% macro ratio(above, below) %}
CAST({{ above }} AS DOUBLE) / NULLIF(CAST({{ below }} AS DOUBLE), 0)
{%- endmacro %}

{# The share of rows for which something holds. #}
{% macro share(condition, where="") %}
{% set both = "(" ~ condition ~ ") AND (" ~ where ~ ")" if where else condition %}
CAST(COUNT(*){{ rows_where(both) }} AS DOUBLE) / NULLIF(COUNT(*){{ rows_where(where) }}, 0)
{%- endmacro %}
