"""Where things lie: files, results, runs, models. The only package that knows MLflow."""
