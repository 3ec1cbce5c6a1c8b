"""What evaluate looks for in the data and in the model: leaks, and what the model relies on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlrecipes.checks.leakage import LeakageFinding, Outcome, find_leaks, time_overlap
from mlrecipes.records import Bars, Block, Section, Table, Text
from mlrecipes.steps._contract import Context
from mlrecipes.steps._features import features_of, target_of
from mlrecipes.steps._scores import Scores

__all__ = ["N_KEPT", "importance_of", "importance_section", "leakage_section", "leaks_of"]

N_EXPLAINED = 2_000
N_KEPT = 30
N_DRAWN = 20
WHY_NONE = (
    "Importances are read from LightGBM's own contributions. This estimator is another one: ask "
    "sklearn.inspection.permutation_importance with the model of the run."
)


def leaks_of(
    training: Any, test: Any, scores: Scores, context: Context
) -> tuple[LeakageFinding, ...]:
    """Look for features, keys, rows and moments that give the answer away."""
    config, split = context.config, context.config.steps.split
    if config.steps.evaluate.leakage == "off":
        return ()
    found = find_leaks(
        features_of(training, config),
        features_of(test, config),
        _outcome(training, test, scores, context),
        config.seed,
    )
    if split.using == "time" and split.time_col in training.columns:
        found += time_overlap(training[split.time_col], test[split.time_col])
    return found


def _outcome(training: Any, test: Any, scores: Scores, context: Context) -> Outcome | None:
    """What is predicted as numbers; None for several classes or a model without scores."""
    import numpy as np

    config, task = context.config, context.task
    known, new = target_of(training, config), target_of(test, config)
    events = task.scored_events(new, scores.predictions)
    if events is not None:
        positive = np.asarray(known.astype(object) == config.positive_class, dtype=float)
        return Outcome(positive, events.actual, events.scores, is_event=True)
    if task.has_classes:
        return None
    labels = np.asarray(scores.predictions.labels, dtype=float)
    return Outcome(known.to_numpy(dtype=float), new.to_numpy(dtype=float), labels, is_event=False)


def leakage_section(found: Sequence[LeakageFinding], context: Context) -> Section:
    """Each finding with what to do."""
    if context.config.steps.evaluate.leakage == "off":
        return Section("Leakage", (Text("Not looked for: steps.evaluate.leakage is off."),))
    if not found:
        return Section("Leakage", (Text("No sign of a leak was found."),))
    rows = tuple((f.code, f.severity, f.subject, f.message) for f in found)
    table = Table(("code", "severity", "subject", "what to do"), rows)
    return Section("Leakage", (table,))


# ---- importance ------------------------------------------------------------------------------


def importance_of(pipeline: Any, test: Any, context: Context) -> tuple[tuple[str, float], ...]:
    """Each feature's share of the mean absolute contribution to the scores, largest first.

    Empty unless the estimator is LightGBM's: its contributions are those of TreeSHAP (Lundberg
    et al. 2020, "From local explanations to global understanding with explainable AI").
    """
    import numpy as np

    transformer, estimator = pipeline.steps[0][1], pipeline.steps[-1][1]
    if not any(kind.__module__.startswith("lightgbm.") for kind in type(estimator).__mro__):
        return ()
    features = features_of(test, context.config)
    if len(features) > N_EXPLAINED:
        features = features.sample(N_EXPLAINED, random_state=context.config.seed)
    is_passed_on = isinstance(transformer, str) or transformer is None
    values = features if is_passed_on else transformer.transform(features)
    contributions = np.abs(np.asarray(estimator.predict(values, pred_contrib=True)))
    names = [str(name) for name in estimator.feature_name_]
    # The last of each class's columns is what all rows have in common.
    by_class = contributions.reshape(len(features), -1, len(names) + 1)[:, :, :-1]
    strength = by_class.mean(axis=(0, 1))
    total = float(strength.sum()) or 1.0
    order = np.argsort(-strength, kind="stable")
    return tuple((names[i], float(strength[i]) / total) for i in order)


def importance_section(found: Sequence[tuple[str, float]]) -> Section:
    """The strongest features as bars, and as a table."""
    if not found:
        return Section("What the Model Relies on", (Text(WHY_NONE),))
    drawn = found[:N_DRAWN]
    bars: Block = Bars(
        "Mean absolute contribution to the score (SHAP), as a share of all",
        "share",
        tuple(name for name, _ in drawn),
        tuple(share for _, share in drawn),
    )
    rows = tuple((name, f"{share:.2%}") for name, share in found[:N_KEPT])
    return Section("What the Model Relies on", (bars, Table(("feature", "share"), rows)))
