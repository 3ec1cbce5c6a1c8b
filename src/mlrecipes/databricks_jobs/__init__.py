"""The backend ``databricks-jobs`` of ``mlflow run``: a project as a one-time job, waited for.

::

    mlflow run . -e train -b databricks-jobs -c jobs.json

    settings    what stands in jobs.json
    packing     tracked files -> one archive, named by its digest
    command     an entry point and its parameters -> a list of arguments, no shell
    request     all of that -> what is sent to Jobs 2.2
    workspace   the few calls to the workspace, by Databricks' own SDK
    waiting     states of a job -> how it ended
    backend     what MLflow calls
    on_compute  the only part that runs in the job; the standard library alone

It was tested against a double of a workspace and never ran on Databricks.
"""

__all__: list[str] = []
