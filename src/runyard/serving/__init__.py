"""The scoring server: a saved model over HTTP, by MLflow's protocol and the Open Inference Protocol."""
